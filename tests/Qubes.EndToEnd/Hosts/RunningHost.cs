namespace Qubes.EndToEnd.Hosts;

/// <summary>
/// The host all tests of the collection share, since each boot costs seconds: the template <c>minimal</c>, and <c>work</c> and
/// <c>mgmt</c> running from it.
/// </summary>
public sealed class RunningHost : IAsyncLifetime
{
    private ScratchHost? _host;

    /// <summary>Skips the test, with the reason, where no host can be brought up.</summary>
    public ScratchHost Host
    {
        get
        {
            Assert.SkipUnless(Environment.IsPrivilegedProcess, "Real guests need root");
            Assert.SkipUnless(File.Exists("/usr/bin/qemu-system-x86_64"), "QEMU is not installed");
            return _host!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists("/usr/bin/qemu-system-x86_64"))
        {
            return;
        }

        await Repository.BuildAsync();
        _host = new ScratchHost();
        await _host.StartAsync();
        (await _host.RunAsync("qubes-prefs", "default_kernel", "minimal")).Expect();
        (await _host.RunAsync("qvm-create", "--class", "TemplateVM", "--label", "black", "minimal")).Expect();
        (await _host.RunAsync("qvm-volume", "import", "minimal:root", Path.Combine(Repository.Template, "root.img"))).Expect();
        (await _host.RunAsync("qvm-features", "minimal", "qrexec", "1")).Expect();
        (await _host.RunAsync("qubes-prefs", "default_template", "minimal")).Expect();
        await CreateAsync("work");
        await CreateAsync("mgmt");
        (await _host.RunAsync("qvm-start", "work", "mgmt")).Expect();
    }

    /// <summary>A new qube from the template, small and halted.</summary>
    public async Task CreateAsync(string name)
    {
        (await Host.RunAsync("qvm-create", "--template", "minimal", "--label", "red", name)).Expect();
        (await Host.RunAsync("qvm-prefs", name, "memory", "192")).Expect();
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }
}
