using System.Globalization;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Protocol.Devices;
using Qubes.Testing;

namespace Qubes.Admin.Tests.State;

/// <summary>Changes of every kind at random, by calls and by what the lifecycle layer does. Many are refused, which is fine.</summary>
internal sealed class RandomChanges
{
    private static readonly string[] Names = ["debian", "fedora", "work", "net", "fw", "dvm", "a", "b", "c", "d"];
    private static readonly string[] Labels = ["red", "green", "black", "teal", "mauve"];

    private static readonly (string Name, string[] Values)[] Properties =
    [
        ("netvm", ["", "net", "fw", "work"]), ("provides_network", ["True", "False"]), ("template", ["debian", "fedora"]),
        ("label", Labels), ("memory", ["300", "400", "500"]), ("maxmem", ["0", "4000"]), ("vcpus", ["1", "2", "4"]),
        ("kernel", ["", "6.1", "6.6"]), ("kernelopts", ["", "quiet \"x\\y\""]), ("virt_mode", ["hvm", "pvh"]), ("debug", ["True", "False"]),
        ("default_user", ["user", "root"]), ("template_for_dispvms", ["True", "False"]), ("default_dispvm", ["", "dvm", "a"]),
        ("management_dispvm", ["", "dvm", "a"]), ("guivm", ["dom0", "a", ""]), ("audiovm", ["dom0", "b", ""]), ("keyboard_layout", ["de++", "us++"]),
        ("ip", ["10.1.1.1", "10.1.1.2"]), ("mac", ["00:16:3e:5e:6c:01"]), ("qrexec_timeout", ["10", "90"]), ("shutdown_timeout", ["11"]),
        ("bootmode", ["default", "x"]), ("appvm_default_bootmode", ["default", "x"]), ("include_in_backups", ["True", "False"]),
        ("autostart", ["True", "False"]), ("stubdom_mem", ["64"]), ("backup_timestamp", ["17"]), ("devices_denied", ["", "b******"]),
    ];

    private static readonly (string Name, string[] Values)[] Globals =
    [
        ("default_netvm", ["", "net", "fw"]), ("default_dispvm", ["", "dvm", "a"]), ("default_template", ["debian", "fedora"]),
        ("default_kernel", ["", "6.1", "6.6"]), ("default_guivm", ["dom0", "c", ""]), ("default_audiovm", ["dom0", "c"]), ("clockvm", ["", "net", "a"]),
        ("updatevm", ["", "net"]), ("management_dispvm", ["", "dvm"]), ("default_qrexec_timeout", ["60", "61"]),
        ("default_shutdown_timeout", ["60", "62"]), ("check_updates_vm", ["True", "False"]), ("stats_interval", ["3", "4"]),
    ];

    private static readonly (string Name, string[] Values)[] Features =
    [
        ("servicevm", ["1", ""]), ("ipv6", ["1", ""]), ("net.fake-ip", ["192.168.1.2", ""]), ("net.fake-gateway", ["192.168.1.1"]),
        ("boot-mode.kernelopts.x", ["a b"]), ("boot-mode.active", ["x", "default"]), ("boot-mode.appvm-default", ["x"]), ("qrexec", ["1", ""]),
        ("os", ["Linux", "Windows"]), ("suspend-s0ix", ["1"]), ("free", ["text", "other \"text\""]), ("memory-hotplug", ["1", ""]),
    ];

    private readonly AdminFixture _fixture;
    private readonly Random _random;
    private readonly MemoryDeviceSource _usb = new("usb");
    private readonly List<DeviceInfo> _devices = [];

    private RandomChanges(AdminFixture fixture, int seed)
    {
        _fixture = fixture;
        _random = new Random(seed);
    }

    public int Succeeded { get; private set; }

    public static async Task<RandomChanges> StartAsync(AdminFixture fixture, int seed)
    {
        RandomChanges changes = new(fixture, seed);
        foreach (string name in Names)
        {
            // Firewall rules and notes have a place whatever becomes of the qube.
            Directory.CreateDirectory(Path.Combine(fixture.StateDirectory, "appvms", name));
            Directory.CreateDirectory(Path.Combine(fixture.StateDirectory, "vm-templates", name));
        }

        await fixture.OnLoopAsync(app => app.Devices.Register(changes._usb));
        return changes;
    }

    /// <summary>Makes a change, sometimes two or three at once.</summary>
    public async Task NextAsync()
    {
        Task<string>[] calls = [.. Enumerable.Range(0, _random.Next(10) == 0 ? 3 : 1).Select(_ => CallAsync())];
        Succeeded += (await Task.WhenAll(calls)).Count(reply => reply.StartsWith('0'));
    }

    private Task<string> CallAsync()
    {
        string qube = Pick(Names);
        switch (_random.Next(34))
        {
            case 0:
                string[] classes = ["AppVM", "AppVM", "AppVM", "TemplateVM", "StandaloneVM"];
                string qubeClass = Pick(classes);
                return _fixture.CallAsync("admin.vm.Create." + qubeClass, qubeClass == "AppVM" ? Pick(["debian", "fedora", ""]) : "",
                    payload: $"name={qube} label={Pick(Labels)}");
            case 1:
                return _fixture.CallAsync("admin.vm.Remove", destination: qube);
            case <= 8:
                (string property, string[] values) = Pick(Properties);
                return _fixture.CallAsync("admin.vm.property.Set", property, _random.Next(12) == 0 ? "dom0" : qube, Pick(values));
            case <= 11:
                return _fixture.CallAsync("admin.vm.property.Reset", Pick(Properties).Name, qube);
            case <= 13:
                (string global, string[] globals) = Pick(Globals);
                return _fixture.CallAsync("admin.property.Set", global, payload: Pick(globals));
            case 14:
                return _fixture.CallAsync("admin.property.Reset", Pick(Globals).Name);
            case <= 16:
                (string feature, string[] texts) = Pick(Features);
                return _fixture.CallAsync("admin.vm.feature.Set", feature, _random.Next(8) == 0 ? "dom0" : qube, Pick(texts));
            case 17:
                return _fixture.CallAsync("admin.vm.feature.Remove", Pick(Features).Name, qube);
            case 18:
                return _fixture.CallAsync(_random.Next(2) == 0 ? "admin.vm.tag.Set" : "admin.vm.tag.Remove", Pick(["t1", "t2", "t3"]), qube);
            case 19:
                return _random.Next(2) == 0
                    ? _fixture.CallAsync("admin.label.Create", Pick(Labels), payload: "0x123456")
                    : _fixture.CallAsync("admin.label.Remove", Pick(Labels));
            case 20:
                return OnLoopAsync(app => Assign(app, qube));
            case 21:
                return FailToSaveAsync(qube);
            case 22:
                return _fixture.CallAsync("admin.vm.firewall.Set", destination: qube, payload: Pick(
                    ["action=accept", "action=drop", "", "action=accept dsthost=example.com proto=tcp dstports=80 comment=a b\naction=drop", "action=accept"]));
            case 23:
                return _fixture.CallAsync("admin.vm.notes.Set", destination: qube, payload: Pick(["", "one", "two\n"]));
            case 24 or 25:
                return ChangeOfferAsync(qube);
            case 26 or 27:
                return _fixture.CallAsync("admin.vm.device.usb.Attach", Device(), qube, Pick(["", "option='x'"]));
            case 28:
                return _fixture.CallAsync("admin.vm.device.usb.Detach", Device(), qube);
            case 29:
                return _fixture.CallAsync("admin.vm.device.usb.Assign", Device(), qube, Pick(["mode='auto-attach'", "mode='ask-to-attach' a='b'"]));
            case 30:
                return _fixture.CallAsync("admin.vm.device.usb.Unassign", Device(), qube);
            case 31:
                return StopAsync(qube);
            default:
                return OnLoopAsync(app => ChangePower(app, qube));
        }
    }

    /// <summary>The disk is full: the change was there for a moment and is taken back.</summary>
    private async Task<string> FailToSaveAsync(string qube)
    {
        _fixture.DiskIsFull = true;
        string reply = await _fixture.CallAsync("admin.vm.property.Set", "memory", qube, _random.Next(300, 310).ToString(CultureInfo.InvariantCulture));
        _fixture.DiskIsFull = false;
        return reply;
    }

    private async Task<string> OnLoopAsync(Action<QubesApp> change)
    {
        await _fixture.OnLoopAsync(change);
        return "0";
    }

    /// <summary>A device appears at a qube, or one goes away, or is found to be attached.</summary>
    private async Task<string> ChangeOfferAsync(string name)
    {
        await _fixture.Loop.InvokeAsync(async () =>
        {
            QubesApp app = _fixture.App;
            if (!app.Domains.TryGet(name, out Qube? found) || found is not LocalQube qube)
            {
                return;
            }

            DeviceInfo? known = _devices.Find(d => d.Port.Backend == name);
            if (known is not null && _random.Next(2) == 0)
            {
                _devices.Remove(known);
                _usb.TakeAway(known);
            }
            else if (known is not null && _usb.AttachedTo(qube).Count == 0)
            {
                _usb.AttachOutside(qube, known);
            }
            else if (known is null)
            {
                _devices.Add(_usb.Put(name, "1-" + _random.Next(3), Pick(["dead:beef", "0123:4567"])));
            }

            await app.Devices.AnnounceAsync(_usb, qube);
        });
        return "0";
    }

    /// <summary>As the lifecycle layer tells that a qube has ended: what it had is attached no more.</summary>
    private async Task<string> StopAsync(string name)
    {
        await _fixture.Loop.InvokeAsync(async () =>
        {
            if (_fixture.App.Domains.TryGet(name, out Qube? found) && found is QubesVM qube)
            {
                qube.Runtime.State = PowerState.Halted;
                await qube.FireAsync("domain-shutdown");
            }
        });
        return "0";
    }

    private string Device() => _devices.Count == 0 || _random.Next(10) == 0 ? "work+1-1" : Pick([.. _devices]).Port is var port ? $"{port.Backend}+{port.PortId}" : "";

    private void Assign(QubesApp app, string name)
    {
        if (!app.Domains.TryGet(name, out Qube? found) || found is not LocalQube qube)
        {
            return;
        }

        using ModelChange change = app.Changes.Begin(new ChangeOrigin("dom0", "assign", default));
        if (qube.Devices.All is [var first, ..])
        {
            qube.Devices.Remove(first);
        }
        else
        {
            qube.Devices.Add(new DeviceAssignment { DeviceClass = "pci", Backend = "dom0", Port = "00_1f.2", DeviceId = "*", Mode = "required" });
        }

        change.Complete();
    }

    private void ChangePower(QubesApp app, string name)
    {
        if (app.Domains.TryGet(name, out Qube? found) && found is QubesVM qube)
        {
            qube.Runtime.State = Pick([PowerState.Halted, PowerState.Halted, PowerState.Halted, PowerState.Running, PowerState.Paused, PowerState.Transient]);
            qube.Runtime.Xid = _random.Next(100);
            qube.Runtime.StartTime = _random.Next(1000);
        }
    }

    private T Pick<T>(T[] items) => items[_random.Next(items.Length)];
}
