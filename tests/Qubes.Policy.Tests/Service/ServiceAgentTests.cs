using System.Net.Sockets;
using System.Text;
using Qubes.Linux;
using Qubes.Policy.Prompting;

namespace Qubes.Policy.Tests.Service;

public sealed class ServiceAgentTests : IDisposable
{
    private readonly ScratchRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public async Task In_dom0_the_agent_is_a_socket_service()
    {
        Directory.CreateDirectory(_root.Paths.RpcDirectory);
        using UnixListener listener = UnixListener.Bind(Path.Join(_root.Paths.RpcDirectory, "policy.Ask"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Task<string> call = new ServiceAgent(_root.Paths, _root.Paths.RpcDirectory, qrexecClient: null).CallAsync("dom0", "policy.Ask", "{\"a\": 1}", CancellationToken.None);
        using Socket socket = await listener.AcceptAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        byte[] received = new byte[1000];
        int length = 0;
        while (await socket.ReceiveAsync(received.AsMemory(length)).AsTask().WaitAsync(TimeSpan.FromSeconds(30)) is var read and > 0)
        {
            length += read;
        }

        Assert.Equal("policy.Ask dom0 name dom0\0{\"a\": 1}", Encoding.ASCII.GetString(received, 0, length));
        await socket.SendAsync("allow:work"u8.ToArray());
        socket.Dispose();
        Assert.Equal("allow:work", await call.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task In_a_qube_the_agent_is_called_through_the_qrexec_client()
    {
        // A program that shows how it was called and with what input.
        _root.Write("client", "#!/bin/sh\nprintf '%s|' \"$@\"\ncat\n");
        File.SetUnixFileMode(_root["client"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal(
            "-d|gui|DEFAULT:QUBESRPC policy.Notify dom0|{}",
            await new ServiceAgent(_root.Paths, "/nothere", _root["client"]).CallAsync("gui", "policy.Notify", "{}", CancellationToken.None));
    }

    [Theory]
    [InlineData("/bin/false", "calling policy.Ask in gui ended with")]
    [InlineData(null, "without qrexec-client the agent in gui cannot be reached")]
    public async Task A_failing_client_is_an_error(string? client, string reason)
    {
        ServiceAgent agent = new(_root.Paths, _root.Paths.RpcDirectory, client);
        Assert.StartsWith(reason, (await Assert.ThrowsAsync<IOException>(() => agent.CallAsync("gui", "policy.Ask", "{}", CancellationToken.None))).Message);
    }

    [Fact]
    public async Task A_missing_agent_is_an_error_that_says_where_it_would_be()
    {
        ServiceAgent agent = new(_root.Paths, _root.Paths.RpcDirectory, qrexecClient: null);
        IOException missing = await Assert.ThrowsAsync<IOException>(() => agent.CallAsync("dom0", "policy.Ask", "{}", CancellationToken.None));
        Assert.StartsWith($"no agent listens at {_root.Paths.RpcDirectory}/policy.Ask", missing.Message);

        // One that was killed leaves its socket.
        Directory.CreateDirectory(_root.Paths.RpcDirectory);
        string path = Path.Join(_root.Paths.RpcDirectory, "policy.Ask");
        using (Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(path + ".dead"));
            File.Move(path + ".dead", path);
        }

        await Assert.ThrowsAsync<IOException>(() => agent.CallAsync("dom0", "policy.Ask", "{}", CancellationToken.None));
    }
}
