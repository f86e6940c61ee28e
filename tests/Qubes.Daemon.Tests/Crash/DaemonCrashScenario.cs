namespace Qubes.Daemon.Tests.Crash;

/// <summary>One call to be interrupted by kill -9, and what must hold after a restart.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Call">Makes the call; null when it got no answer.</param>
/// <param name="Check">Checks the restarted daemon; told whether the call was acknowledged.</param>
/// <param name="CoversWholeLife">Also the points of the daemon's start and of its orderly end are tried. They are the same for all calls.</param>
internal sealed record DaemonCrashScenario(
    string Name, Func<QubesdProcess, Task<AdminAnswer?>> Call, Func<QubesdProcess, bool, Task> Check,
    bool CoversWholeLife = false)
{
    /// <summary>The qubes every scenario begins with.</summary>
    public const string Template = "tpl";
    public const string Qube = "work";

    public static IReadOnlyList<DaemonCrashScenario> All { get; } =
    [
        new(
            "save",
            daemon => daemon.TryCallAsync("admin.vm.property.Set", Qube, "memory", "345"),
            async (daemon, acknowledged) =>
            {
                string memory = await daemon.CallAsync("admin.vm.property.Get", Qube, "memory");
                Assert.True(memory == "default=False type=int 345" || (!acknowledged && memory.StartsWith("default=True", StringComparison.Ordinal)), memory);
            },
            CoversWholeLife: true),
        new(
            "create",
            daemon => daemon.TryCallAsync("admin.vm.Create.AppVM", "dom0", Template, "name=fresh label=green"),
            async (daemon, acknowledged) =>
            {
                IReadOnlyList<string> qubes = await ListAsync(daemon);
                Assert.True(qubes.Contains("fresh") || !acknowledged);
                if (qubes.Contains("fresh"))
                {
                    await RunOnceAsync(daemon, "fresh");
                    await daemon.CallAsync("admin.vm.Remove", "fresh");
                }

                Assert.False(Directory.Exists(Path.Combine(daemon.Root.Paths.AppVmsDirectory, "fresh")));
                // A name that came to nothing is free.
                await daemon.CallAsync("admin.vm.Create.AppVM", "dom0", Template, "name=fresh label=green");
            }),
        new(
            "start",
            daemon => daemon.TryCallAsync("admin.vm.Start", Qube),
            // The hypervisor of the tests lives in the daemon and dies with it, so the qube is halted now.
            async (daemon, _) => Assert.Contains("state=Halted", await daemon.CallAsync("admin.vm.CurrentState", Qube), StringComparison.Ordinal)),
        new(
            "remove",
            daemon => daemon.TryCallAsync("admin.vm.Remove", Qube),
            async (daemon, acknowledged) =>
            {
                bool exists = (await ListAsync(daemon)).Contains(Qube);
                Assert.False(exists && acknowledged);
                if (!exists)
                {
                    Assert.False(Directory.Exists(Path.Combine(daemon.Root.Paths.AppVmsDirectory, Qube)));
                    await daemon.CallAsync("admin.vm.Create.AppVM", "dom0", Template, $"name={Qube} label=red");
                }
            }),
        new(
            "apply",
            ApplyAsync,
            async (daemon, acknowledged) =>
            {
                // Settings, which the store has, and what lies in files of its own: all of it or nothing.
                string memory = await daemon.CallAsync("admin.vm.property.Get", Qube, "memory");
                bool isThere = memory == "default=False type=int 345";
                Assert.True(isThere || !acknowledged);
                Assert.Equal(isThere ? "action=drop\n" : "action=accept\n", await daemon.CallAsync("admin.vm.firewall.Get", Qube));
                Assert.Equal(isThere ? "text" : "", await daemon.CallAsync("admin.vm.notes.Get", Qube));
            }),
        new(
            "disposable",
            UseDisposableAsync,
            // Whether it was made, started or being removed: nobody knows its name any more, and nothing of it is left.
            async (daemon, _) => Assert.DoesNotContain("class=DispVM", await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal)),
    ];

    public static DaemonCrashScenario Find(string name) => All.First(scenario => scenario.Name == name);

    public static async Task<IReadOnlyList<string>> ListAsync(QubesdProcess daemon) =>
        [.. (await daemon.CallAsync("admin.vm.List")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0])];

    /// <summary>The qube starts, runs, and is halted again.</summary>
    public static async Task RunOnceAsync(QubesdProcess daemon, string qube)
    {
        await daemon.CallAsync("admin.vm.Start", qube);
        Assert.Contains("state=Running", await daemon.CallAsync("admin.vm.CurrentState", qube), StringComparison.Ordinal);
        await daemon.CallAsync("admin.vm.Kill", qube);
        Assert.Contains("state=Halted", await daemon.CallAsync("admin.vm.CurrentState", qube), StringComparison.Ordinal);
    }

    private static async Task<AdminAnswer?> ApplyAsync(QubesdProcess daemon)
    {
        if (await daemon.TryCallAsync("admin.change.Plan", "dom0", "", "{}") is not { } plan)
        {
            return null;
        }

        string revision = plan.Content.Split("\"revision\":")[1].Split(',')[0];
        return await daemon.TryCallAsync("admin.change.Apply", "dom0", "",
            $"{{\"revision\":{revision},\"qubes\":{{\"{Qube}\":{{\"properties\":{{\"memory\":345}},\"firewall\":[\"action=drop\"],\"notes\":\"text\"}}}}}}");
    }

    private static async Task<AdminAnswer?> UseDisposableAsync(QubesdProcess daemon)
    {
        if (await daemon.TryCallAsync("admin.vm.property.Set", Qube, "template_for_dispvms", "True") is null
            || await daemon.TryCallAsync("admin.vm.CreateDisposable", Qube) is not { } made)
        {
            return null;
        }

        return await daemon.TryCallAsync("admin.vm.Start", made.Content) is null ? null : await daemon.TryCallAsync("admin.vm.Kill", made.Content);
    }
}
