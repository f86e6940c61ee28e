using System.Text;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Tests.Daemon;

/// <summary>One end of a data link, in single messages.</summary>
internal sealed class DataPeer(IVchan vchan) : IAsyncDisposable
{
    private readonly FakeAgent _frames = new(vchan);

    public IVchan Vchan => vchan;

    /// <summary>What was received as standard output, and as error output.</summary>
    public StringBuilder Output { get; } = new();

    public StringBuilder Errors { get; } = new();

    /// <summary>The types of all messages received, without immediate repetitions.</summary>
    public List<QrexecMessageType> Types { get; } = [];

    public async Task GreetAsync() => await _frames.GreetAsync(QrexecVersion.Data);

    public Task SendAsync(QrexecMessageType type, string text) => _frames.SendAsync(type, Encoding.Latin1.GetBytes(text));

    public Task SendExitAsync(int status) => _frames.SendAsync(QrexecMessageType.DataExitCode, BitConverter.GetBytes(status));

    public Task<(QrexecMessageType Type, byte[] Body)> ReceiveAsync() => _frames.ReceiveAsync();

    /// <summary>As a caller: collects everything until the status, which it returns; afterwards the link must end.</summary>
    public async Task<int> ReceiveToStatusAsync()
    {
        while (true)
        {
            (QrexecMessageType type, byte[] body) = await _frames.ReceiveAsync();
            if (Types.Count == 0 || Types[^1] != type)
            {
                Types.Add(type);
            }

            switch (type)
            {
                case QrexecMessageType.DataStdout:
                    Output.Append(Encoding.Latin1.GetString(body));
                    break;
                case QrexecMessageType.DataStderr:
                    Errors.Append(Encoding.Latin1.GetString(body));
                    break;
                default:
                    Assert.Equal(QrexecMessageType.DataExitCode, type);
                    await _frames.ExpectEndAsync();
                    return BitConverter.ToInt32(body);
            }
        }
    }

    /// <summary>As a service: collects input until its end.</summary>
    public async Task<string> ReceiveInputAsync()
    {
        StringBuilder input = new();
        while (true)
        {
            (QrexecMessageType type, byte[] body) = await _frames.ReceiveAsync();
            Assert.Equal(QrexecMessageType.DataStdin, type);
            if (body.Length == 0)
            {
                return input.ToString();
            }

            input.Append(Encoding.Latin1.GetString(body));
        }
    }

    public ValueTask DisposeAsync() => vchan.DisposeAsync();
}
