using System.Text.RegularExpressions;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Tests.Calls;

/// <summary>
/// What callers are told when a value, a name or the state of the system does not allow a call: to the byte, and nothing is changed by it. The
/// checks every call goes through are in <see cref="CommonCheckTests"/>, those of a single call beside that call's tests.
/// </summary>
public sealed class RefusalTests
{
    // call | argument | destination | payload | class | text. \n and \uXXXX in payloads are meant.
    private const string Names = """
        admin.vm.List | | A234567890123456789012345678901x | | QubesValueError | VM name must be shorter than 32 characters
        admin.vm.List | | 1a | | QubesValueError | VM name cannot start with hyphen, underscore, dot or numbers
        admin.vm.List | | _a | | QubesValueError | VM name cannot start with hyphen, underscore, dot or numbers
        admin.vm.List | | .a | | QubesValueError | VM name cannot start with hyphen, underscore, dot or numbers
        admin.vm.List | | -a | | QubesValueError | VM name cannot start with hyphen, underscore, dot or numbers
        admin.vm.List | | a$b | | QubesValueError | VM name contains illegal characters
        admin.vm.List | | Domain-0 | | QubesValueError | VM name cannot be 'Domain-0'
        admin.vm.List | | none | | QubesValueError | VM name cannot be 'none' nor 'default'
        admin.vm.List | | default | | QubesValueError | VM name cannot be 'none' nor 'default'
        admin.vm.List | | work-dm | | QubesValueError | VM name cannot end with -dm
        admin.vm.List | | gone | | QubesVMNotFoundError | No such domain: 'gone'
        admin.vm.List | | uuid:1 | | QubesVMInvalidUUIDError | VM UUID is not valid: '1'
        admin.vm.List | | uuid:12345678-1234-4234-8234-12345678901G | | QubesVMInvalidUUIDError | VM UUID is not valid: '12345678-1234-4234-8234-12345678901G'
        admin.vm.List | | uuid:12345678-1234-4234-8234-123456789012 | | QubesVMNotFoundError | No such domain: 'uuid:12345678-1234-4234-8234-123456789012'
        """;

    private const string Properties = """
        admin.vm.property.Set | name | work | other | QubesNoSuchPropertyError | property 'name' is write-once and already set
        admin.vm.property.Set | qid | work | 5 | QubesNoSuchPropertyError | property 'qid' is write-once and already set
        admin.vm.property.Set | uuid | work | 12345678-1234-4234-8234-123456789012 | QubesNoSuchPropertyError | property 'uuid' is write-once and already set
        admin.vm.property.Set | uuid | work | 5 | QubesValueError | Failed to parse property value as UUID
        admin.vm.property.Reset | name | work | | QubesNoSuchPropertyError | property 'name' is write-once and already set
        admin.vm.property.Reset | qid | work | | QubesNoSuchPropertyError | property 'qid' is write-once and already set
        admin.vm.property.Reset | uuid | work | | QubesNoSuchPropertyError | property 'uuid' is write-once and already set
        admin.vm.property.Set | dispid | disp7 | 8 | QubesNoSuchPropertyError | property 'dispid' is write-once and already set
        admin.vm.property.Set | name | dom0 | other | QubesPropertyValueError | property 'name' on AdminVM instance cannot be set
        admin.vm.property.Set | updateable | work | True | QubesPropertyValueError | property 'updateable' on AppVM instance cannot be set
        admin.property.Set | maxmem | dom0 | 5 | QubesPropertyValueError | property 'maxmem' on Qubes instance cannot be set
        admin.vm.property.Set | icon | far | x | QubesPropertyValueError | property 'icon' on RemoteVM instance cannot be set
        admin.vm.property.Set | is_preload | disp7 | True | QubesPropertyValueError | property 'is_preload' on DispVM instance cannot be set
        admin.vm.property.Set | memory | far | 5 | QubesNoSuchPropertyError | Invalid property 'memory' of far
        admin.vm.property.Set | auto_cleanup | work | True | QubesNoSuchPropertyError | Invalid property 'auto_cleanup' of work
        admin.vm.property.Set | memory | work | 0x10 | QubesValueError | Failed to parse property value as int
        admin.vm.property.Set | memory | work | 1__0 | QubesValueError | Failed to parse property value as int
        admin.vm.property.Set | memory | work | 99999999999999999999 | QubesValueError | Failed to parse property value as int
        admin.vm.property.Set | memory | work | 0 | QubesPropertyValueError | memory must be positive
        admin.vm.property.Set | maxmem | work | -1 | QubesPropertyValueError | maxmem must be positive or zero
        admin.vm.property.Set | vcpus | work | 0 | QubesPropertyValueError | vcpus must be positive
        admin.vm.property.Set | stubdom_mem | work | 0 | QubesPropertyValueError | stubdom_mem must be positive
        admin.vm.property.Set | qrexec_timeout | work | 0 | QubesPropertyValueError | qrexec_timeout must be positive
        admin.vm.property.Set | shutdown_timeout | work | -7 | QubesPropertyValueError | shutdown_timeout must be positive
        admin.vm.property.Set | kernel | work | a/b | QubesPropertyValueError | Kernel name cannot contain '/'
        admin.vm.property.Set | kernel | work | .. | QubesPropertyValueError | Kernel name cannot be a relative path
        admin.vm.property.Set | default_user | work | a b | QubesPropertyValueError | Username can contain only those characters: abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+,.
        admin.vm.property.Set | virt_mode | work | kvm | QubesPropertyValueError | Invalid virtualization mode, supported values: hvm, pv, pvh
        admin.vm.property.Set | keyboard_layout | work | us | QubesPropertyValueError | Invalid number of parts in keyboard layout: expected LAYOUT+VARIANT+OPTIONS
        admin.vm.property.Set | keyboard_layout | work | u1++ | QubesPropertyValueError | Invalid keyboard layout provided: 'u1'
        admin.vm.property.Set | keyboard_layout | work | us+a.b+ | QubesPropertyValueError | Invalid keyboard variant provided: 'a.b'
        admin.vm.property.Set | keyboard_layout | work | us++a b | QubesPropertyValueError | Invalid keyboard options provided: 'a b'
        admin.vm.property.Set | mac | work | 00:16:3e:5e:6c | QubesPropertyValueError | Invalid MAC address value
        admin.vm.property.Set | ip | work | 10.1.2 | QubesValueError | Failed to parse property value as IPv4Address
        admin.vm.property.Set | ip6 | work | fd00 | QubesValueError | Failed to parse property value as IPv6Address
        admin.vm.property.Set | devices_denied | work | p02 | QubesValueError | Invalid length of interfaces='p02' (is 3, expected multiple of 7)
        admin.vm.property.Set | devices_denied | work | x****** | QubesPropertyValueError | Invalid interface encoding: 'x******'
        admin.vm.property.Set | label | work | | QubesLabelNotFoundError | Label does not exist:
        admin.vm.property.Set | label | work | label-99 | QubesLabelNotFoundError | Label does not exist: label-99
        admin.vm.property.Reset | label | work | | QubesPropertyValueError | Cannot unset label of work
        admin.vm.property.Set | template | work | | QubesPropertyValueError | Invalid value None for property 'template' of work
        admin.vm.property.Set | template | work | net | QubesPropertyValueError | wrong VM class: domains['net'] is of type AppVM and not TemplateVM
        admin.vm.property.Set | template | disp7 | work | QubesPropertyValueError | template for disposable must have template_for_dispvms=True
        admin.vm.property.Reset | template | disp7 | | QubesValueError | Cannot unset template
        admin.vm.property.Set | netvm | work | dom0 | QubesPropertyValueError | wrong VM class: domains['dom0'] is of type AdminVM and not QubesVM
        admin.vm.property.Set | netvm | work | dvm | QubesValueError | The dvm qube does not provide network
        admin.vm.property.Set | netvm | net | net | QubesValueError | Loops in network are unsupported
        admin.vm.property.Set | provides_network | net | False | QubesValueError | The qube net is still used as netvm by other qubes
        admin.vm.property.Reset | provides_network | net | | QubesValueError | The qube net is still used as netvm by other qubes
        admin.vm.property.Set | default_dispvm | work | net | QubesPropertyValueError | Cannot set invalid property to qube 'work', default_dispvm 'net' has template_for_dispvms set to False
        admin.vm.property.Set | management_dispvm | work | dom0 | QubesPropertyValueError | Cannot set invalid property to qube 'work', management_dispvm 'dom0' has template_for_dispvms set to False
        admin.vm.property.Set | template_for_dispvms | dvm | False | QubesVMInUseError | Cannot disable template_for_dispvms of qube 'dvm': it is a system default
        admin.vm.property.Reset | template_for_dispvms | dvm | | QubesVMInUseError | Cannot disable template_for_dispvms of qube 'dvm': it is a system default
        admin.vm.property.Set | guivm | work | far | QubesPropertyValueError | wrong VM class: domains['far'] is of type RemoteVM and not LocalVM
        admin.vm.property.Set | relayvm | far | gone | QubesPropertyValueError | Can't set relayvm to non-existing qube gone
        admin.property.Set | default_netvm | dom0 | gone | QubesPropertyValueError | Can't set default_netvm to non-existing qube gone
        admin.property.Set | default_netvm | dom0 | net | QubesPropertyValueError | Network loop on 'net'
        admin.property.Set | default_pool | dom0 | nowhere | QubesPropertyValueError | No such storage pool
        admin.property.Set | default_dispvm | dom0 | work | QubesPropertyValueError | Cannot set invalid property to system, default_dispvm 'work' has template_for_dispvms set to False
        admin.property.Set | nothing | dom0 | 1 | QubesNoSuchPropertyError | Invalid property 'nothing' of Qubes
        admin.property.Reset | nothing | dom0 | | QubesNoSuchPropertyError | Invalid property 'nothing' of Qubes
        admin.vm.property.Set | kernelopts | work | a\u000bb | QubesValueError | Invalid characters in property value
        admin.vm.property.Set | kernelopts | work | a\u000cb | QubesValueError | Invalid characters in property value
        """;

    private const string State = """
        admin.vm.property.Set | memory | gone | 5 | QubesVMNotFoundError | No such domain: 'gone'
        admin.vm.Remove | | dom0 | | QubesVMInUseError | 'dom0' cannot be removed
        admin.vm.Remove | | debian | | QubesVMInUseError | Domain is in use: 'debian';  see 'journalctl -u qubesd -e' in dom0 for details
        admin.vm.Remove | | net | | QubesVMInUseError | Domain is in use: 'net';  see 'journalctl -u qubesd -e' in dom0 for details
        admin.vm.Remove | | dvm | | QubesVMInUseError | Domain is in use: 'dvm';  see 'journalctl -u qubesd -e' in dom0 for details
        admin.vm.CreateDisposable | | work | | QubesException | Refusing to create disposable out of app qube which has template_for_dispvms=False
        admin.vm.CreateDisposable | other | dvm | | PermissionDenied | Argument not in "'', 'preload'"
        admin.vm.CreateDisposable | | dvm | name | ProtocolError | Invalid payload, expected empty string or 'uuid'
        admin.label.Remove | red | dom0 | | ProtocolError | Can only remove custom labels
        admin.label.Remove | teal | dom0 | | QubesLabelNotFoundError | Label does not exist: teal
        admin.pool.Info | nowhere | dom0 | | PermissionDenied | Argument not in 'pools'
        admin.vm.volume.Info | swap | work | | PermissionDenied | Argument not in 'work volumes'
        admin.vm.volume.Info | root | dom0 | | PermissionDenied | Argument not in 'dom0 volumes'
        admin.vm.volume.Info | root | far | | PermissionDenied | Argument not in 'far volumes'
        admin.vm.tag.Get | a.b | work | | QubesInvalidTagError | disallowed characters
        admin.vm.tag.Remove | a.b | work | | QubesInvalidTagError | disallowed characters
        admin.vm.tag.Set | a.b | work | | QubesInvalidTagError | disallowed characters
        admin.vm.tag.Remove | absent | work | | QubesTagNotFoundError | Tag not set for domain work: absent
        admin.vm.feature.Get | absent | work | | QubesFeatureNotFoundError | Feature not set for domain work: absent
        admin.vm.feature.Remove | absent | work | | QubesFeatureNotFoundError | Feature not set for domain work: absent
        admin.vm.feature.Set | a/b | work | 1 | ProtocolError | feature name contains illegal characters
        admin.vm.feature.Set | a | work | 1\n | ProtocolError | a value contains illegal characters
        admin.vm.feature.Set | a | work | \u00e4 | ProtocolError | Feature value contains non-ASCII characters
        admin.vm.feature.Set | preload-dispvm-max | dvm | 2 | QubesValueError | dvm: preloading needs the feature qrexec
        admin.vm.feature.Set | preload-dispvm-delay | dvm | soon | QubesValueError | Invalid preload-dispvm-delay value: not a number of seconds
        admin.vm.feature.Set | preload-dispvm-threshold | dom0 | -5 | QubesValueError | Invalid preload-dispvm-threshold value: not a digit
        admin.vm.feature.Set | net.fake-ip | work | 10.1.2 | QubesValueError | Invalid IPv4 address in feature net.fake-ip
        """;

    private const string Running = """
        admin.vm.property.Set | template | run | debian | QubesVMNotHaltedError | Cannot change template while qube is running
        admin.vm.property.Set | template | disp8 | dvm | QubesVMNotHaltedError | Cannot change template while qube is running
        admin.vm.property.Set | template | dvm | debian | QubesVMInUseError | Cannot change template while there are disposables based on this qube running: disp8
        admin.vm.property.Set | maxmem | run | 500 | QubesVMNotHaltedError | Cannot change maxmem of running qube without memory hotplug support
        admin.vm.property.Set | netvm | run | net | QubesVMNotStartedError | Cannot dynamically attach to stopped qube net
        admin.vm.property.Set | virt_mode | work | pvh | QubesPropertyValueError | pvh mode can't be set if PCI devices are attached
        admin.vm.Remove | | usb | | QubesVMInUseError | VM has devices assigned to other VMs: 1-2
        """;

    private const string Firewall = """
        admin.vm.firewall.Set | | work | \u00e4 | ProtocolError | Rules contains non-ASCII characters
        admin.vm.firewall.Set | | work | drop | QubesValueError | Not a firewall option: 'drop'
        admin.vm.firewall.Set | | work | proto=tcp | QubesValueError | missing action=
        admin.vm.firewall.Set | | work | action=reject | QubesValueError | Invalid action: 'reject'
        admin.vm.firewall.Set | | work | action=drop action=drop | QubesValueError | Option 'action' given twice
        admin.vm.firewall.Set | | work | action=drop color=red | QubesValueError | Unknown firewall option: 'color'
        admin.vm.firewall.Set | | work | action=drop proto=sctp | QubesValueError | Invalid protocol: 'sctp'
        admin.vm.firewall.Set | | work | action=drop dsthost=A_b | QubesValueError | Invalid hostname: 'A_b'
        admin.vm.firewall.Set | | work | action=drop dsthost=1.2.3.4/33 | QubesValueError | Invalid network prefix length: '33'
        admin.vm.firewall.Set | | work | action=drop dsthost=1.2.3/24 | QubesValueError | Invalid IP address: '1.2.3'
        admin.vm.firewall.Set | | work | action=drop proto=tcp dstports=http | QubesValueError | Invalid port or range of ports: 'http'
        admin.vm.firewall.Set | | work | action=drop proto=tcp dstports=9-8 | QubesValueError | Invalid port range
        admin.vm.firewall.Set | | work | action=drop proto=tcp dstports=65536 | QubesValueError | Ports out of range
        admin.vm.firewall.Set | | work | action=drop dstports=80 | QubesValueError | dstports valid only for 'tcp' and 'udp' protocols
        admin.vm.firewall.Set | | work | action=drop proto=tcp icmptype=8 | QubesValueError | icmptype valid only for 'icmp' protocol
        admin.vm.firewall.Set | | work | action=drop proto=icmp icmptype=256 | QubesValueError | Invalid ICMP type: '256'
        admin.vm.firewall.Set | | work | action=drop specialtarget=ntp | QubesValueError | Invalid special target: 'ntp'
        admin.vm.firewall.Set | | work | action=drop expire=soon | QubesValueError | Invalid time of expiry: 'soon'
        admin.vm.firewall.Set | | work | action=drop comment=a$b | QubesValueError | Rule comment contains illegal characters
        admin.vm.firewall.Get | | far | | QubesVMError | Qubes of class RemoteVM have no firewall rules
        admin.vm.firewall.Set | | far | action=drop | QubesVMError | Qubes of class RemoteVM have no firewall rules
        admin.vm.notes.Get | | far | | QubesVMError | Qubes of class RemoteVM have no notes
        admin.vm.notes.Set | | far | x | QubesVMError | Qubes of class RemoteVM have no notes
        """;

    public static TheoryData<string> Rows =>
        [.. ((string[])[Names, Properties, State, Running, Firewall]).SelectMany(t => t.Split('\n', StringSplitOptions.RemoveEmptyEntries))];

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_refused_call_is_told_why_and_changes_nothing(string row)
    {
        await using AdminFixture fixture = await StartAsync();
        string[] cells = [.. row.Split('|').Select(c => c.Trim())];
        long version = await fixture.OnLoopAsync(app => app.Changes.Revision);
        int commits = fixture.Commits;
        string answer = await fixture.CallAsync(cells[0], cells[1], cells[2], Regex.Unescape(cells[3]));
        Assert.Equal($"2\0{cells[4]}\0\0{cells[5]}\0", answer.Replace(": \0", ":\0", StringComparison.Ordinal));
        Assert.Equal((version, commits), (await fixture.OnLoopAsync(app => app.Changes.Revision), fixture.Commits));
    }

    private static async Task<AdminFixture> StartAsync()
    {
        AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("net");
        await fixture.AddQubeAsync("dvm");
        await fixture.AddQubeAsync("usb");
        await fixture.AddQubeAsync("run");
        await fixture.AddQubeAsync("far", QubeClasses.RemoteVM);
        (string Method, string Argument, string Destination, string Payload)[] calls =
        [
            ("admin.vm.property.Set", "provides_network", "net", "True"),
            ("admin.vm.property.Set", "netvm", "work", "net"),
            ("admin.vm.property.Set", "template_for_dispvms", "dvm", "True"),
            ("admin.property.Set", "default_dispvm", "dom0", "dvm"),
        ];
        foreach ((string method, string argument, string destination, string payload) in calls)
        {
            Assert.Equal("0\0", await fixture.CallAsync(method, argument, destination, payload));
        }

        await fixture.OnLoopAsync(app =>
        {
            foreach (int number in (int[])[7, 8])
            {
                app.Domains.Create(new NewQube
                {
                    Class = QubeClasses.DispVM, Name = QubeName.Parse($"disp{number}"), Label = app.Labels.Find("red"), Template = app.Domains["dvm"],
                    Properties = [(DispVMProperties.DispId, number)],
                });
            }

            foreach (string name in (string[])["run", "disp8"])
            {
                ((QubesVM)app.Domains[name]).Runtime.State = PowerState.Running;
            }

            LocalQube work = (LocalQube)app.Domains["work"];
            work.Devices.Add(new DeviceAssignment { DeviceClass = "pci", Backend = "dom0", Port = "00_1f.0", DeviceId = "*", Mode = "required" });
            work.Devices.Add(new DeviceAssignment { DeviceClass = "usb", Backend = "usb", Port = "1-2", DeviceId = "*", Mode = "auto-attach" });
        });
        return fixture;
    }
}
