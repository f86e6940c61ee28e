using System.Net.Sockets;
using System.Text;
using Qubes.Linux;
using Qubes.Policy.Prompting;

namespace Qubes.Policy.Tests.Service;

public sealed class ServicePolicyAgentTests : IDisposable
{
    private readonly ScratchRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public async Task In_dom0_the_agent_is_a_socket_service()
    {
        Directory.CreateDirectory(_root.Paths.RpcDirectory);
        using UnixListener listener = UnixListener.Bind(Path.Join(_root.Paths.RpcDirectory, "policy.Ask"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Task<string> call = new ServicePolicyAgent(_root.Paths, "/nothere").CallAsync("dom0", "policy.Ask", "{\"a\": 1}", CancellationToken.None);
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
            await new ServicePolicyAgent(_root.Paths, _root["client"]).CallAsync("gui", "policy.Notify", "{}", CancellationToken.None));
    }

    [Fact]
    public async Task A_failing_client_and_a_missing_agent_are_errors()
    {
        ServicePolicyAgent agent = new(_root.Paths, "/bin/false");
        await Assert.ThrowsAsync<IOException>(() => agent.CallAsync("gui", "policy.Ask", "{}", CancellationToken.None));
        await Assert.ThrowsAnyAsync<Exception>(() => agent.CallAsync("dom0", "policy.Ask", "{}", CancellationToken.None));
    }
}
