using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Extensions.Usb;
using Qubes.Lifecycle.Qrexec;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Model.QubesDb;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Extensions.Tests.Devices;

/// <summary>The USB class over databases in this process and, for qrexec-client, a program that keeps how it was called.</summary>
public sealed class UsbSourceTests : IEventObserver, IAsyncDisposable
{
    private const string Id = "046d:c52b:42:u030101";
    private const string Description = "046d:c52b Acme Thing 42";

    private static readonly VirtualDevice Device = new(new DevicePort("usb", "sys-usb", "1-2.3"), Id);

    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-usb-").FullName;
    private readonly ModelLoop _loop = new(static _ => { });
    private readonly QubesPaths _paths;
    private readonly QubesApp _app = new(new FixedHostFacts());
    private readonly List<string> _seen = [];
    private readonly List<string> _failures = [];
    private readonly UsbSource _source;
    private readonly QubesVM _work;
    private readonly QubesVM _usb;
    private List<UsbEntry> _host = [];

    public UsbSourceTests()
    {
        _paths = new QubesPaths(_directory);
        foreach (Label label in LabelSet.BuiltIn)
        {
            _app.Labels.Load(label);
        }

        _app.Domains.Load(QubeClasses.AdminVM, default);
        _app.Devices.Failed = (what, failure) => _failures.Add($"{what}: {failure.Message}");
        _source = new UsbSource(
            _app, () => [.. _host], new UsbServices(new GuestServices(Path.Combine(_directory, "client"), _paths), new TemporaryPolicy(_paths.RuntimePolicyDirectory)),
            NullLogger.Instance);
        _source.Register();
        _app.FinishLoading();
        QubesAppProperties.DefaultTemplate.Set(_app, (TemplateVM)Create(QubeClasses.TemplateVM, "fedora"));
        _work = Create(QubeClasses.AppVM, "work");
        _usb = Create(QubeClasses.AppVM, "sys-usb");
        _work.Runtime.State = _usb.Runtime.State = PowerState.Running;
        _usb.QubesDb.Attach(new MemoryQubesDb(_usb.QubesDb.TellChange));
        Client("exit 0");
        _app.Events.AddObserver(this);
    }

    private QubeDevices Devices => _work.DevicesOf("usb");

    void IEventObserver.OnEvent(QubesEvent qubesEvent)
    {
        if (qubesEvent.Name.StartsWith("device-", StringComparison.Ordinal))
        {
            _seen.Add($"{qubesEvent.Subject.SubjectText} {qubesEvent.Name}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _loop.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public Task What_a_qube_tells_is_listed_with_events() => _loop.InvokeAsync(async () =>
    {
        await PlugAsync();
        Assert.Equal(["sys-usb device-list-change:usb", "sys-usb device-added:usb"], Events());
        Assert.Equal(Device, Assert.Single(_source.Exposed(_usb)).Device);
        _usb.QubesDb.Remove("/qubes-usb-devices/1-2_3/");
        _usb.QubesDb.Write("/qubes-usb-devices", "");
        await _source.RefreshAsync(_usb);
        Assert.Empty(_source.Exposed(_usb));
        Assert.Equal(["sys-usb device-list-change:usb", "sys-usb device-removed:usb"], Events());
    });

    [Fact]
    public Task Attaching_calls_the_frontend_while_policy_lets_it_call_the_backend() => _loop.InvokeAsync(async () =>
    {
        await PlugAsync();
        Events();
        Client("""
            printf '%s\n' "$@" > "$0.called"
            cat >> "$0.called"
            cat "$QUBES_ROOT"/run/qubes/policy.d/*.policy >> "$0.called" 2>/dev/null || true
            """);
        await Devices.AttachAsync(Device, []);
        Assert.Equal(
            "-d\nwork\nroot:QUBESRPC qubes.USBAttach+ dom0\nsys-usb 1-2.3\nqubes.USB +1-2.3 work sys-usb allow user=root\n",
            await File.ReadAllTextAsync(Path.Combine(_directory, "client.called")));
        Assert.Empty(Directory.GetFiles(_paths.RuntimePolicyDirectory));
        Assert.Equal("work", Assert.Single(_source.Exposed(_usb)).Attachment);
        Assert.Equal(["work device-pre-attach:usb", "work device-attach:usb"], Events().Where(e => !e.Contains("list-change", StringComparison.Ordinal)));
        Assert.Equal(QubesErrorNames.DeviceAlreadyAttached, (await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Device, []))).WireName);
        Events();

        // The backend tells the same, and it is no news.
        _usb.QubesDb.Write("/qubes-usb-devices/1-2_3/connected-to", "work");
        await _source.RefreshAsync(_usb);
        Assert.Empty(Events());

        await Devices.DetachAsync(Device);
        Assert.Equal(
            "-d\nsys-usb\nroot:QUBESRPC qubes.USBDetach+ dom0\n1-2.3\n", await File.ReadAllTextAsync(Path.Combine(_directory, "client.called")));
        Assert.Empty(Devices.Attached);
    });

    [Fact]
    public Task What_was_attached_by_others_is_seen() => _loop.InvokeAsync(async () =>
    {
        await PlugAsync();
        Events();
        _usb.QubesDb.Write("/qubes-usb-devices/1-2_3/connected-to", "work");
        _usb.QubesDb.Write("/qubes-usb-devices", "");
        await _source.RefreshAsync(_usb);
        Assert.Equal(["sys-usb device-list-change:usb", "work device-attach:usb"], Events());
        Assert.Single(Devices.Attached);
        _work.Runtime.State = PowerState.Halted;
        await _work.FireAsync("domain-shutdown");
        Assert.Contains("work device-detach:usb", Events());
        Assert.Null(Assert.Single(_source.Exposed(_usb)).Attachment);
    });

    [Theory]
    [InlineData("exit 127", "qubes-usb-proxy not installed in the VM: work has no qubes.USBAttach")]
    [InlineData("echo so; echo not >&2; exit 1", "Device attach failed: so not")]
    public Task A_failed_attachment_is_told_and_leaves_nothing(string client, string message) => _loop.InvokeAsync(async () =>
    {
        await PlugAsync();
        Client(client);
        Assert.Equal(message, (await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Device, []))).Message);
        Assert.Empty(Devices.Attached);
        Assert.Empty(Directory.GetFiles(_paths.RuntimePolicyDirectory));
    });

    [Fact]
    public Task Options_are_refused_and_devices_of_the_host_are_listed_only() => _loop.InvokeAsync(async () =>
    {
        await PlugAsync();
        Assert.Equal("USB device attach does not support user options",
            (await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Device, [new("a", "b")]))).Message);
        _host = [new UsbEntry("1-1", Description, ":030101:", null)];
        await _source.RefreshAsync(_app.Domains.AdminVM);
        DeviceInfo device = Assert.Single(_source.Exposed(_app.Domains.AdminVM));
        Assert.StartsWith("USB devices of the host cannot be attached",
            (await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(device.Device, []))).Message, StringComparison.Ordinal);
    });

    [Fact]
    public Task A_restarted_daemon_knows_who_has_what_and_clears_away_old_rules() => _loop.InvokeAsync(async () =>
    {
        await PlugAsync();
        _usb.QubesDb.Write("/qubes-usb-devices/1-2_3/connected-to", "work");
        Directory.CreateDirectory(_paths.RuntimePolicyDirectory);
        foreach (string name in (string[])["10-usb-attach-7.policy", "20-mine.policy"])
        {
            await File.WriteAllBytesAsync(Path.Combine(_paths.RuntimePolicyDirectory, name), "# rule\n"u8.ToArray());
        }

        UsbSource restarted = new(_app, () => [], new UsbServices(new GuestServices("/nothere", _paths), new TemporaryPolicy(_paths.RuntimePolicyDirectory)), NullLogger.Instance);
        await restarted.AdoptAsync();
        Assert.Single(restarted.AttachedTo(_work));
        Assert.Equal("20-mine.policy", Path.GetFileName(Assert.Single(Directory.GetFiles(_paths.RuntimePolicyDirectory))));
    });

    private async Task PlugAsync()
    {
        _usb.QubesDb.Write("/qubes-usb-devices/1-2_3/desc", Description);
        _usb.QubesDb.Write("/qubes-usb-devices/1-2_3/interfaces", ":030101:");
        _usb.QubesDb.Write("/qubes-usb-devices", "");
        await _source.RefreshAsync(_usb);
    }

    private string[] Events()
    {
        string[] seen = [.. _seen];
        _seen.Clear();
        return seen;
    }

    private void Client(string script)
    {
        string path = Path.Combine(_directory, "client");
        File.WriteAllBytes(path, Encoding.ASCII.GetBytes("#!/bin/sh\n" + script + "\n"));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private QubesVM Create(QubeClass qubeClass, string name) => (QubesVM)_app.Domains.Create(new NewQube
    {
        Class = qubeClass, Name = QubeName.Parse(name), Label = _app.Labels.Find("red"),
    });
}
