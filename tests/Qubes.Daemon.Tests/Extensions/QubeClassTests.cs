using System.Diagnostics;
using Qubes.Linux;
using Qubes.Testing;

namespace Qubes.Daemon.Tests.Extensions;

/// <summary>A class of qubes that a program brings, against the real daemon.</summary>
public sealed class QubeClassTests
{
    private const string Refused = "2\0QubesVMError\0\0Qubes of class KioskVM need extension 'kiosk', which does not serve them now\0";

    private static readonly object Serving = new { initialize = new { qube_classes = new[] { "KioskVM" } } };

    [Fact]
    public async Task Its_qubes_are_like_others_with_properties_and_contents_of_their_own()
    {
        using ScratchRoot root = new();
        AddKiosk(root, Serving);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.Equal("0\0AdminVM\nAppVM\nDispVM\nKioskVM\nRemoteVM\nStandaloneVM\nTemplateVM\n", await daemon.CallAsync("admin.vmclass.List"));
        using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.KioskVM", "debian", payload: "name=lobby label=red"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.CreateInPool.KioskVM", "debian", payload: "name=hall label=red pool=varlibqubes"));
        Assert.StartsWith("0\0lobby class=KioskVM state=Halted", await daemon.CallAsync("admin.vm.List", destination: "lobby"), StringComparison.Ordinal);
        Assert.Equal("0\0default=True type=str KioskVM", await GetAsync(daemon, "klass"));
        Assert.Equal("0\0default=False type=vm ", await GetAsync(daemon, "netvm"));
        Assert.Equal("0\0default=False type=int 300", await GetAsync(daemon, "memory"));
        Assert.Equal("0\0default=True type=str about:blank", await GetAsync(daemon, "kiosk_url"));
        Assert.Equal("0\0default=True type=int 15", await GetAsync(daemon, "kiosk_minutes"));
        Assert.Equal("0\0default=True type=vm ", await GetAsync(daemon, "kiosk_printer"));
        Assert.Equal("0\01", await daemon.CallAsync("admin.vm.feature.Get", "service.kiosk", "lobby"));
        Assert.Equal("0\0audiovm-dom0\ncreated-by-dom0\nguivm-dom0\nkiosk\n", await daemon.CallAsync("admin.vm.tag.List", destination: "lobby"));

        string listed = await daemon.CallAsync("admin.vm.property.List", destination: "lobby");
        Assert.Contains("\nkiosk_mode\n", listed, StringComparison.Ordinal);
        Assert.Contains("\ntemplate_for_dispvms\n", listed, StringComparison.Ordinal);
        Assert.DoesNotContain("kiosk_mode", await daemon.CallAsync("admin.vm.property.List", destination: "work"), StringComparison.Ordinal);
        Assert.Equal("0\0How it shows it.", await daemon.CallAsync("admin.vm.property.Help", "kiosk_mode", "lobby"));

        Assert.Equal("0\0", await SetAsync(daemon, "kiosk_url", "https://example.org/"));
        await events.ReadUntilAsync("1\0lobby\0property-set:kiosk_url\0name\0kiosk_url\0newvalue\0https://example.org/\0oldvalue\0about:blank\0\0");
        Assert.Equal("2\0QubesPropertyValueError\0\0kiosk_mode must be one of: full, window\0", await SetAsync(daemon, "kiosk_mode", "half"));
        Assert.Equal("2\0QubesPropertyValueError\0\0kiosk_minutes must be between 0 and 1440\0", await SetAsync(daemon, "kiosk_minutes", "-1"));
        Assert.Equal("0\0", await SetAsync(daemon, "kiosk_minutes", "5"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Reset", "kiosk_minutes", "lobby"));
        Assert.Equal("0\0default=True type=int 15", await GetAsync(daemon, "kiosk_minutes"));
        Assert.Equal("0\0", await SetAsync(daemon, "kiosk_printer", "work"));
        Assert.StartsWith("2\0QubesVMInUseError\0", await daemon.CallAsync("admin.vm.Remove", destination: "work"), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "lobby"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Kill", destination: "lobby"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Remove", destination: "hall"));
        Assert.True((await daemon.Process.StopAsync()).IsSuccess, await daemon.Process.ReadLogAsync());

        string store = await File.ReadAllTextAsync(root.Paths.StoreFile);
        Assert.Contains(" class=\"KioskVM\">", store, StringComparison.Ordinal);
        Assert.Contains("<property name=\"kiosk_url\">https://example.org/</property>", store, StringComparison.Ordinal);
        Assert.Contains("<property name=\"kiosk_printer\">work</property>", store, StringComparison.Ordinal);
        Assert.DoesNotContain("kiosk_minutes", store, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_qube_may_make_them_where_policy_says_so()
    {
        using ScratchRoot root = new();
        AddKiosk(root, Serving);
        const string Service = "admin.vm.Create.KioskVM";
        string link = Path.Combine(root.Paths.RuntimeRpcDirectory, Service);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CreateQubesAsync();
            await daemon.CreateQubesAsync("fedora", "mgmt");
            Assert.Equal("result=deny", await DecideAsync(daemon));
            await File.WriteAllTextAsync(Path.Combine(root.Paths.PolicyDirectory, "include/admin-global-rwx"), "mgmt @adminvm allow target=dom0\n");
            Assert.StartsWith("user=DEFAULT\nresult=allow\ntarget=dom0\n", await DecideAsync(daemon), StringComparison.Ordinal);
            Assert.Equal("0\0", await RawClient.CallAsync(link, $"{Service}+debian mgmt name dom0\0name=lobby label=red"));
            Assert.Equal("0\0audiovm-dom0\ncreated-by-mgmt\nguivm-dom0\nkiosk\n", await daemon.CallAsync("admin.vm.tag.List", destination: "lobby"));
            await daemon.Process.KillAsync();
        }

        Assert.NotNull(new FileInfo(link).LinkTarget);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            Assert.StartsWith("user=DEFAULT\nresult=allow", await DecideAsync(daemon), StringComparison.Ordinal);
            await daemon.Process.StopAsync();
        }

        Assert.Empty(Directory.GetFileSystemEntries(root.Paths.RuntimeRpcDirectory));
        Assert.Empty(Directory.GetFileSystemEntries(root.Paths.RuntimePolicyDirectory));

        static Task<string> DecideAsync(RunningDaemon daemon) =>
            RawClient.CallAsync(daemon.Paths.PolicySocket, $"source=mgmt\nintended_target=dom0\nservice_and_arg={Service}+debian\n\n");
    }

    [Theory]
    [InlineData("enabled = no")]
    [InlineData(null)]
    public async Task While_its_program_is_absent_its_qubes_wait(string? line)
    {
        using ScratchRoot root = new();
        AddKiosk(root, Serving);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CreateQubesAsync();
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.KioskVM", "debian", payload: "name=lobby label=red"));
            Assert.Equal("0\0", await SetAsync(daemon, "kiosk_url", "https://example.org/"));
            Assert.True((await daemon.Process.StopAsync()).IsSuccess);
        }

        string store = await File.ReadAllTextAsync(root.Paths.StoreFile);
        if (line is null)
        {
            root.AddMisbehaving("kiosk", "crash", $"qube-classes = {ClassFile(root)}");
        }
        else
        {
            AddKiosk(root, Serving, line);
        }

        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            Assert.StartsWith("0\0lobby class=KioskVM state=Halted", await daemon.CallAsync("admin.vm.List", destination: "lobby"), StringComparison.Ordinal);
            Assert.Equal("0\0default=False type=str https://example.org/", await GetAsync(daemon, "kiosk_url"));
            Assert.Equal(Refused, await daemon.CallAsync("admin.vm.Start", destination: "lobby"));
            Assert.Equal(Refused, await daemon.CallAsync("admin.vm.Create.KioskVM", "debian", payload: "name=hall label=red"));
            Assert.StartsWith("2\0QubesVMNotFoundError\0", await daemon.CallAsync("admin.vm.List", destination: "hall"), StringComparison.Ordinal);
            Assert.True((await daemon.Process.StopAsync()).IsSuccess);
            Assert.Contains("Qubes of class KioskVM cannot be started: their extension does not serve them", await daemon.Process.ReadLogAsync(), StringComparison.Ordinal);
        }

        Assert.Equal(Qubes(store), Qubes(await File.ReadAllTextAsync(root.Paths.StoreFile)));
        AddKiosk(root, Serving);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "lobby"));
        }
    }

    [Theory]
    [InlineData("die", 1)]
    [InlineData("silence", 3)]
    public async Task A_program_that_ends_or_hangs_serves_no_more(string answer, int questions)
    {
        using ScratchRoot root = new();
        AddKiosk(root, new
        {
            initialize = new
            {
                qube_classes = new[] { "KioskVM" }, subscriptions = new[] { new { @event = "admin-permission:admin.vm.tag.Set", mode = "call" } },
            },
            answers = new Dictionary<string, object> { ["admin-permission:admin.vm.tag.Set"] = answer },
        }, "deadline = 100");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.KioskVM", "debian", payload: "name=lobby label=red"));

        // What a new run cannot say stays unsaid.
        File.Delete(Path.Combine(root.Path, "misbehaving.py"));
        for (int i = 0; i < questions; i++)
        {
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "t", "work"));
        }

        Stopwatch watch = Stopwatch.StartNew();
        while (await daemon.CallAsync("admin.vm.Start", destination: "lobby") != Refused)
        {
            Assert.True(watch.Elapsed < QubesdProcess.Patience, "it is still served");
            await daemon.CallAsync("admin.vm.Kill", destination: "lobby");
        }

        Assert.Equal("0\0default=True type=str about:blank", await GetAsync(daemon, "kiosk_url"));
        ExtensionRoot.Copy(root, "misbehaving.py");
        while (await daemon.CallAsync("admin.vm.Start", destination: "lobby") != "0\0")
        {
            Assert.True(watch.Elapsed < 2 * QubesdProcess.Patience, "it is not served again");
            await Task.Delay(20);
        }
    }

    [Fact]
    public async Task Without_its_file_a_qube_is_kept_as_it_stands_and_comes_back_with_it()
    {
        using ScratchRoot root = new();
        AddKiosk(root, Serving);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CreateQubesAsync();
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.KioskVM", "debian", payload: "name=lobby label=red"));
            Assert.Equal("0\0", await SetAsync(daemon, "kiosk_mode", "window"));
            Assert.True((await daemon.Process.StopAsync()).IsSuccess);
        }

        Assert.True((await StoreAsync(root)).Exit.IsSuccess);
        string conf = Path.Combine(root.Paths.ExtensionsDirectory, "kiosk.conf");
        File.Move(conf, Path.Combine(root.Path, "kiosk.conf"));
        string kept = Qube(await File.ReadAllTextAsync(root.Paths.StoreFile));
        CapturedProcess check = await StoreAsync(root);
        Assert.Equal(1, check.Exit.Code);
        Assert.Contains("no such VM class: 'KioskVM'", check.OutputText, StringComparison.Ordinal);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            Assert.DoesNotContain("KioskVM", await daemon.CallAsync("admin.vmclass.List"), StringComparison.Ordinal);
            Assert.Equal("2\0ProtocolError\0\0no such method: 'admin.vm.Create.KioskVM'\0", await daemon.CallAsync("admin.vm.Create.KioskVM", "debian", payload: "name=hall label=red"));
            Assert.StartsWith("2\0QubesVMNotFoundError\0", await daemon.CallAsync("admin.vm.List", destination: "lobby"), StringComparison.Ordinal);
            Assert.Contains("Qube already exists: lobby", await daemon.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=lobby label=red"), StringComparison.Ordinal);
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Set", "memory", "work", "500"));
            Assert.True((await daemon.Process.StopAsync()).IsSuccess);
        }

        Assert.Equal(kept, Qube(await File.ReadAllTextAsync(root.Paths.StoreFile)));
        File.Move(Path.Combine(root.Path, "kiosk.conf"), conf);
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            Assert.Equal("0\0default=False type=str window", await GetAsync(daemon, "kiosk_mode"));
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "lobby"));
        }
    }

    [Fact]
    public async Task Each_class_has_one_owner_who_brings_what_it_serves()
    {
        using ScratchRoot root = new();
        AddKiosk(root, Serving);
        root.AddScripted("later", Serving, $"qube-classes = {ClassFile(root)}");
        root.AddScripted("stranger", Serving);
        root.AddExtension("without", Path.Combine(root.Path, "nothing"), $"qube-classes = {ClassFile(root).Replace("kiosk-classes", "other-classes", StringComparison.Ordinal)}");
        await File.WriteAllTextAsync(Path.Combine(root.Path, "other-classes.json"),
            """{"classes": [{"name": "SpareVM", "base": "StandaloneVM"}]}""");
        File.SetUnixFileMode(Path.Combine(root.Path, "other-classes.json"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.KioskVM", "debian", payload: "name=lobby label=red"));
        Assert.Equal(
            "2\0QubesVMError\0\0Qubes of class SpareVM need extension 'without', which does not serve them now\0",
            await daemon.CallAsync("admin.vm.Create.SpareVM", payload: "name=spare label=red"));
        Assert.True((await daemon.Process.StopAsync()).IsSuccess);
        string log = await daemon.Process.ReadLogAsync();
        Assert.Contains("class KioskVM is brought by extension 'kiosk'", log, StringComparison.Ordinal);
        Assert.Contains("extension stranger: wants what cannot be: its file brings no qube class 'KioskVM'", log, StringComparison.Ordinal);
        Assert.Contains("without.conf: its qubes are kept, and it is not started: ", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_worked_example_does_what_it_says()
    {
        using ScratchRoot root = new();
        ExtensionRoot.Copy(root, "lamp.py");
        root.AddExtension("kiosk", ExtensionRoot.Copy(root, "kiosk.py"), $"qube-classes = {ClassFile(root)}");
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await daemon.CreateQubesAsync();
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.KioskVM", "debian", payload: "name=lobby label=red"));
        Assert.Equal("2\0QubesVMError\0\0Kiosk lobby has no page to show: set kiosk_url\0", await daemon.CallAsync("admin.vm.Start", destination: "lobby"));
        Assert.Equal("0\0", await SetAsync(daemon, "kiosk_url", "https://example.org/"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "lobby"));
        Stopwatch watch = Stopwatch.StartNew();
        while (!(await DecideAsync(daemon, "lobby")).Contains("result=allow", StringComparison.Ordinal))
        {
            Assert.True(watch.Elapsed < QubesdProcess.Patience, "its rules do not come");
            await Task.Delay(20);
        }

        Assert.Equal("result=deny", await DecideAsync(daemon, "work"));
        Assert.True((await daemon.Process.StopAsync()).IsSuccess, await daemon.Process.ReadLogAsync());

        static Task<string> DecideAsync(RunningDaemon daemon, string source) =>
            RawClient.CallAsync(daemon.Paths.PolicySocket, $"source={source}\nintended_target=dom0\nservice_and_arg=kiosk.Done+\n\n");
    }

    private static void AddKiosk(ScratchRoot root, object script, params string[] lines) =>
        root.AddScripted("kiosk", script, [$"qube-classes = {ClassFile(root)}", .. lines]);

    private static string ClassFile(ScratchRoot root) => ExtensionRoot.Copy(root, "kiosk-classes.json");

    private static string Qubes(string store) => store[store.IndexOf("<domains>", StringComparison.Ordinal)..store.IndexOf("</domains>", StringComparison.Ordinal)];

    private static string Qube(string store)
    {
        int end = store.IndexOf("</domain>", store.IndexOf("class=\"KioskVM\"", StringComparison.Ordinal), StringComparison.Ordinal);
        return store[store.LastIndexOf("<domain ", end, StringComparison.Ordinal)..end];
    }

    private static Task<string> GetAsync(RunningDaemon daemon, string property) => daemon.CallAsync("admin.vm.property.Get", property, "lobby");

    private static Task<string> SetAsync(RunningDaemon daemon, string property, string value) =>
        daemon.CallAsync("admin.vm.property.Set", property, "lobby", value);

    private static Task<CapturedProcess> StoreAsync(ScratchRoot root) => ProcessCapture.RunAsync(
        new ChildProcessOptions { FileName = ProgramFile.Find("qubesd"), Arguments = ["qubes-store", "--root", root.Path, "check"] },
        timeout: QubesdProcess.Patience);
}
