namespace Qubes.Daemon.Tests.Extensions;

/// <summary>Extensions that do it wrong, against the real daemon: they are reported and ended, and nobody else notices.</summary>
public sealed class FaultyExtensionTests
{
    [Fact]
    public async Task The_daemon_stays_well_whatever_extensions_do()
    {
        using ScratchRoot root = new();
        foreach (string mode in (string[])["crash", "hang", "deaf", "flood", "garbage", "huge", "leaving", "noisy", "orphans", "shut"])
        {
            root.AddMisbehaving(mode, mode, "deadline = 200");
        }

        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();

        // The one that does not read is sent more than the daemon keeps for it.
        string long16000 = new('x', 16_000);
        for (int i = 0; i < 400; i++)
        {
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.feature.Set", "big", "work", long16000));
        }

        // Three questions without an answer, each no more than its deadline.
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Kill", destination: "work"));
        }

        foreach (string told in (string[])
            [
                "extension crash: ended (exit status 3); it is started again in",
                "extension hang: hangs: it has not answered several questions",
                "extension deaf: does not read what it is sent",
                "extension flood: Sends more than 1000 messages a second: it is slowed down",
                "extension garbage: wrote something that is no message: not JSON",
                "extension huge: wrote something that is no message: a line longer than 1048576 bytes",
                "extension leaving: ended (exit status 4); it is started again in",
                "extension shut: closed its output; it is started again in",
                "extension noisy: line 0 ",
                "lines of its standard error were dropped",
            ])
        {
            await daemon.Process.UntilLoggedAsync(told);
        }

        Assert.True((await daemon.Process.StopAsync()).IsSuccess, await daemon.Process.ReadLogAsync());
        string log = await daemon.Process.ReadLogAsync();
        Assert.DoesNotContain('\u001b', log);
        Assert.DoesNotContain("An exception nobody waited for", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_fails_at_once_is_started_again_after_a_pause()
    {
        using ScratchRoot root = new();
        root.AddMisbehaving("crash", "crash");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        Assert.StartsWith("0\0dom0", await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        await daemon.Process.UntilLoggedAsync("it is started again in 0.25 s");
    }

    [Fact]
    public async Task What_needs_the_consent_of_an_extension_is_refused_while_it_cannot_be_asked()
    {
        using ScratchRoot root = new();
        root.AddMisbehaving("guard", "crash", "required = domain-pre-start", "required = admin-permission:admin.vm.tag.*");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.Equal("2\0QubesException\0\0Extension 'guard' has to agree to domain-pre-start and does not answer\0",
            await daemon.CallAsync("admin.vm.Start", destination: "work"));
        Assert.Equal("2\0PermissionDenied\0\0Extension 'guard' has to agree to admin-permission:admin.vm.tag.Set and does not answer\0",
            await daemon.CallAsync("admin.vm.tag.Set", "x", "work"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.feature.Set", "x", "work", "1"));
    }

    [Fact]
    public async Task One_that_dies_over_a_question_says_neither_yes_nor_no()
    {
        using ScratchRoot root = new();
        object dies = new
        {
            initialize = new { subscriptions = new[] { new { @event = "domain-pre-start", mode = "call" } } },
            answers = new Dictionary<string, object> { ["domain-pre-start"] = "die" },
        };
        root.AddScripted("optional", dies);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
    }

    [Fact]
    public async Task One_that_dies_over_a_question_it_must_answer_stops_what_was_asked()
    {
        using ScratchRoot root = new();
        object dies = new
        {
            initialize = new { subscriptions = new[] { new { @event = "domain-pre-start", mode = "call" } } },
            answers = new Dictionary<string, object> { ["domain-pre-start"] = "die" },
        };
        root.AddScripted("guard", dies, "required = domain-pre-start");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.Equal("2\0QubesException\0\0Extension 'guard' has to agree to domain-pre-start and does not answer\0",
            await daemon.CallAsync("admin.vm.Start", destination: "work"));
    }

    [Fact]
    public async Task Files_others_can_write_to_are_not_used()
    {
        using ScratchRoot root = new();
        root.AddMisbehaving("open", "mute");
        root.AddMisbehaving("bad", "mute", "nonsense");
        File.SetUnixFileMode(Path.Combine(root.Paths.ExtensionsDirectory, "open.conf"), (UnixFileMode)0x1B6);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        Assert.True((await daemon.Process.StopAsync()).IsSuccess);
        string log = await daemon.Process.ReadLogAsync();
        Assert.Contains("open.conf is not used: others than its owner can write to it", log, StringComparison.Ordinal);
        Assert.Contains("bad.conf is not used: line 3: expected KEY = VALUE", log, StringComparison.Ordinal);
    }
}
