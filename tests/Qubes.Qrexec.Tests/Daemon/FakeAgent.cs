using System.Buffers.Binary;
using System.Text;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Tests.Daemon;

/// <summary>The agent's end of a control link, driven message by message.</summary>
internal sealed class FakeAgent(IVchan vchan) : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public IVchan Vchan => vchan;

    /// <summary>Exchanges HELLOs and returns the number the daemon answered with.</summary>
    public async Task<uint> GreetAsync(uint version)
    {
        await vchan.WriteAsync(QrexecHello.Message(version));
        (QrexecMessageType type, byte[] body) = await ReceiveAsync();
        Assert.Equal(QrexecMessageType.Hello, type);
        return QrexecHello.ReadVersion(body);
    }

    public async Task SendAsync(QrexecMessageType type, params byte[] body) => await vchan.WriteAsync(QrexecHeader.Message(type, body));

    public Task TriggerAsync(string target, string service, string id, string source = "") => SendAsync(
        QrexecMessageType.TriggerService4,
        TriggerService.Version4Body(Encoding.ASCII.GetBytes(source), Encoding.ASCII.GetBytes(target), RequestId.FromText(id), Encoding.ASCII.GetBytes(service)));

    public Task TerminatedAsync(uint domain, uint port) =>
        SendAsync(QrexecMessageType.ConnectionTerminated, new ExecParams(domain, port).ToBytes());

    public async Task<(QrexecMessageType Type, byte[] Body)> ReceiveAsync()
    {
        byte[] header = new byte[QrexecHeader.Size];
        await vchan.ReadExactlyAsync(header).AsTask().WaitAsync(Limit);
        byte[] body = new byte[BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4))];
        await vchan.ReadExactlyAsync(body).AsTask().WaitAsync(Limit);
        return (QrexecHeader.Read(header).Type, body);
    }

    public async Task<byte[]> ExpectAsync(QrexecMessageType type)
    {
        (QrexecMessageType got, byte[] body) = await ReceiveAsync();
        Assert.Equal(type, got);
        return body;
    }

    /// <summary>Expects the refusal of a request whose id field is this text, padded.</summary>
    public async Task ExpectRefusalAsync(string id)
    {
        byte[] body = await ExpectAsync(QrexecMessageType.ServiceRefused);
        Assert.Equal(RequestId.FromText(id).Field.ToArray(), body);
    }

    /// <summary>Waits until the daemon has closed the link.</summary>
    public async Task ExpectEndAsync()
    {
        while (await vchan.ReadAsync(new byte[4096]).AsTask().WaitAsync(Limit) > 0)
        {
        }
    }

    public ValueTask DisposeAsync() => vchan.DisposeAsync();
}
