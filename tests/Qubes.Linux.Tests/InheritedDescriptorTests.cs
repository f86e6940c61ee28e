using System.Net.Sockets;
using System.Text;

namespace Qubes.Linux.Tests;

public sealed class InheritedDescriptorTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Others_go_on_with_a_socket_whose_descriptor_was_closed()
    {
        using SocketPair pair = SocketPair.Create();
        using Socket reader = pair.TakeOurs();
        using AnonymousPipe go = AnonymousPipe.Create();
        ChildProcess other = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "/bin/sh",
            Arguments = ["-c", "read -r go; echo after"],
            StandardInput = go.Reader,
            StandardOutput = pair.Theirs,
        });
        using (InheritedDescriptor own = InheritedDescriptor.ForWriting((int)pair.Theirs.DangerousGetHandle()))
        {
            await own.WriteAsync("before\n"u8.ToArray()).WaitAsync(Patience);
            own.Close();
            pair.Theirs.SetHandleAsInvalid();
        }

        await using (Stream writer = go.OpenWriter())
        {
            await writer.WriteAsync("\n"u8.ToArray());
        }

        Assert.True((await other.Exited.WaitAsync(Patience)).IsSuccess);
        Assert.Equal("before\nafter\n", await ReadAsync(reader));
    }

    [Fact]
    public async Task One_way_of_a_socket_that_is_used_both_ways_ends()
    {
        using SocketPair pair = SocketPair.Create();
        using Socket peer = pair.TakeOurs();
        int descriptor = (int)pair.Theirs.DangerousGetHandle();
        using InheritedDescriptor output = InheritedDescriptor.ForWriting(descriptor, isBothWays: true);
        using InheritedDescriptor input = InheritedDescriptor.ForReading(descriptor, isBothWays: true);
        await output.WriteAsync("question"u8.ToArray()).WaitAsync(Patience);
        output.Close();
        Assert.Equal("question", await ReadAsync(peer));
        await peer.SendAsync("answer"u8.ToArray());
        byte[] buffer = new byte[16];
        Assert.Equal("answer", Encoding.ASCII.GetString(buffer, 0, await input.ReadAsync(buffer).WaitAsync(Patience)));
    }

    private static async Task<string> ReadAsync(Socket socket)
    {
        await using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream);
        return await reader.ReadToEndAsync().WaitAsync(Patience);
    }
}
