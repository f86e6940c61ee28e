using System.Security.Cryptography;
using System.Text;
using Qubes.EndToEnd.Hosts;

namespace Qubes.EndToEnd;

/// <summary>qvm-run from the host: status, streams, their ends, and that nothing gets lost.</summary>
[Collection(HostCollection.Name)]
public sealed class CallTests(RunningHost running)
{
    private const long Mebibyte = 1 << 20;

    [Theory]
    [InlineData("true", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("exit 255", 255)]
    [InlineData("kill -TERM $$", 143)]
    public async Task The_commands_status_is_the_tools(string command, int status) =>
        (await running.Host.InQubeAsync("work", command)).Expect(status);

    [Fact]
    public async Task Output_and_error_arrive_apart()
    {
        ToolResult result = (await running.Host.InQubeAsync("work", "echo out; echo err >&2")).Expect();
        Assert.Equal("out\n", result.Output);
        Assert.Equal("err\n", result.Error);
    }

    [Fact]
    public async Task Commands_run_as_the_user_asked_for()
    {
        Assert.Equal("user\n", (await running.Host.InQubeAsync("work", "id -un")).Expect().Output);
        Assert.Equal("root\n", (await running.Host.InQubeAsync("work", "id -un", "root")).Expect().Output);
    }

    [Fact]
    public async Task The_end_of_the_input_reaches_the_command()
    {
        ToolResult result = await running.Host.RunAsync("qvm-run", ["--pass-io", "--no-gui", "work", "cat; echo end"], "input\n"u8.ToArray());
        Assert.Equal("input\nend\n", result.Expect().Output);
    }

    [Fact]
    public async Task A_command_that_ends_does_not_wait_for_its_input()
    {
        await using LiveTool tool = running.Host.Open("qvm-run", "--pass-io", "--no-gui", "work", "echo ready; exit 3");
        Assert.Equal("ready", await tool.Output.ReadLineAsync().WaitAsync(ScratchHost.Patience));
        Assert.Equal(3, await tool.StatusAsync(ScratchHost.Patience));
    }

    [Fact]
    public async Task Words_reach_the_command_as_they_are()
    {
        string[] words = ["a b", "", "--", "-x", "$HOME", "'\"\\", "ü+%s", "line\nbreak"];
        (await running.Host.RunAsync("qvm-features", "work", "vmexec", "1")).Expect();
        ToolResult result = await running.Host.RunAsync("qvm-run",
            ["--pass-io", "--no-gui", "work", "printf", "<%s>", .. words], default);
        Assert.Equal(string.Concat(words.Select(word => $"<{word}>")), result.Expect().Output);
    }

    [Fact]
    public async Task Many_calls_at_once_do_not_mix()
    {
        ToolResult[] results = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => running.Host.InQubeAsync("work", $"echo {i}; exit {i}")));
        for (int i = 0; i < results.Length; i++)
        {
            Assert.Equal($"{i}\n", results[i].Expect(i).Output);
        }
    }

    [Fact]
    public async Task A_large_transfer_comes_back_intact()
    {
        bool isLong = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("QUBES_TEST_LONG"));
        long size = (isLong ? 1024 : 64) * Mebibyte;
        string source = Path.Combine(running.Host.Root, "transfer");
        string echoed = source + ".echoed";
        byte[] sent = await WriteRandomAsync(source, size);
        await using (FileStream input = File.OpenRead(source))
        await using (FileStream output = File.Create(echoed))
        {
            Assert.Equal(0, await running.Host.RunWithFilesAsync(
                "qvm-run", ["--pass-io", "--no-gui", "work", "cat"], input, output, TimeSpan.FromMinutes(isLong ? 30 : 4)));
        }

        await using FileStream received = File.OpenRead(echoed);
        Assert.Equal(size, received.Length);
        Assert.Equal(sent, await SHA256.HashDataAsync(received));
        File.Delete(source);
        File.Delete(echoed);
    }

    [Fact]
    public async Task A_service_of_another_qube_is_called_through_the_host()
    {
        ScratchHost host = running.Host;
        host.AddPolicy("30-peer.policy", "test.Peer * work mgmt allow\n");
        (await host.InQubeAsync("mgmt",
            "mkdir -p /usr/local/etc/qubes-rpc && printf '%s\\n' '#!/bin/sh' 'echo from $QREXEC_REMOTE_DOMAIN; cat; exit 4' > /usr/local/etc/qubes-rpc/test.Peer && chmod +x /usr/local/etc/qubes-rpc/test.Peer",
            "root")).Expect();
        ToolResult result = await host.InQubeAsync("work", "echo text | qrexec-client-vm mgmt test.Peer");
        Assert.Equal("from work\ntext\n", result.Expect(4).Output);
    }

    [Fact]
    public async Task A_service_of_the_host_is_told_who_calls_with_which_argument()
    {
        ScratchHost host = running.Host;
        host.AddPolicy("30-host.policy", "test.Host * work @adminvm allow\n");
        string service = Path.Combine(host.Paths.RpcDirectory, "test.Host");
        await using (FileStream file = new(service, new FileStreamOptions
        {
            Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = (UnixFileMode)0x1ED, // 0755
        }))
        {
            await file.WriteAsync(Encoding.ASCII.GetBytes("#!/bin/sh\necho \"$QREXEC_REMOTE_DOMAIN $1\"\n"));
        }

        Assert.Equal("work arg\n", (await host.InQubeAsync("work", "qrexec-client-vm dom0 test.Host+arg")).Expect().Output);

        // The caller's own output is no affair of the call: it goes on after it.
        Assert.Equal("work 1\nwork 2\nafter\n", (await host.InQubeAsync(
            "work", "for i in 1 2; do qrexec-client-vm dom0 test.Host+$i < /dev/null; done; echo after")).Expect().Output);
    }

    private static async Task<byte[]> WriteRandomAsync(string path, long size)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using FileStream file = File.Create(path);
        byte[] block = new byte[Mebibyte];
        Random random = new(1);
        for (long written = 0; written < size; written += block.Length)
        {
            random.NextBytes(block);
            hash.AppendData(block);
            await file.WriteAsync(block);
        }

        return hash.GetHashAndReset();
    }
}
