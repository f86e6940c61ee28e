using Qubes.Testing;

namespace Qubes.Daemon.Tests.Extensions;

/// <summary>
/// The events clients see of each change, exactly: names, arguments, order. One row a call; the events of a row are those between two
/// marks. NUL is shown as <c>|</c>.
/// </summary>
public sealed class EventCatalogueTests
{
    private static readonly string[] WorkStarts =
    [
        "work|domain-pre-spawn|start_guid|True|", "work|property-reset:xid|name|xid|", "work|property-reset:stubdom_xid|name|stubdom_xid|",
        "work|property-reset:start_time|name|start_time|", "work|domain-spawn|start_guid|True|",
        "work|domain-qdb-change:/qubes-block-devices|path|/qubes-block-devices|", "work|domain-qdb-change:/qubes-usb-devices|path|/qubes-usb-devices|",
        "work|domain-qdb-create|", "work|domain-pre-unpaused|", "work|domain-unpaused|", "work|domain-start|start_guid|True|",
    ];

    private static readonly string[] WorkEnds =
    [
        "work|domain-stopped|", "work|property-reset:xid|name|xid|", "work|property-reset:stubdom_xid|name|stubdom_xid|",
        "work|property-reset:start_time|name|start_time|", "work|domain-shutdown|",
    ];

    /// <summary>A backend's devices come and go, also under a qube that has one.</summary>
    private static readonly Row[] DeviceRows =
    [
        new("admin.vm.feature.Set", "ports", "dom0", "a",
        [
            .. FeatureSet("dom0", "ports", "a"), "dom0|device-list-change:port|", "dom0|device-added:port|device|dom0:a:id|",
        ]),
        new("admin.vm.device.port.Attach", "dom0+a", "work", "",
            ["work|device-pre-attach:port|device|dom0:a:id|options|{}|", "work|device-attach:port|device|dom0:a:id|options|{}|"]),
        new("admin.vm.feature.Set", "ports", "dom0", "b c",
        [
            .. FeatureSet("dom0", "ports", "b c", "a"), "dom0|device-list-change:port|", "work|device-detach:port|port|dom0:a|",
            "dom0|device-removed:port|port|dom0:a|", "dom0|device-added:port|device|dom0:b:id|", "dom0|device-added:port|device|dom0:c:id|",
        ]),
        new("admin.vm.device.port.Assign", "dom0+d", "work", "mode='auto-attach'",
            ["work|device-pre-assign:port|device|dom0:d:*|options|{}|", "work|device-assign:port|device|dom0:d:*|options|{}|"]),
        new("admin.vm.feature.Set", "ports", "dom0", "c d",
        [
            .. FeatureSet("dom0", "ports", "c d", "b c"), "dom0|device-list-change:port|", "dom0|device-removed:port|port|dom0:b|",
            "dom0|device-added:port|device|dom0:d:id|", "work|device-pre-attach:port|device|dom0:d:id|options|{}|",
            "work|device-attach:port|device|dom0:d:id|options|{}|",
        ]),
        new("admin.vm.device.port.Detach", "dom0+d", "work", "", ["work|device-pre-detach:port|port|dom0:d|", "work|device-detach:port|port|dom0:d|"]),
        new("admin.vm.device.port.Unassign", "dom0+d", "work", "", ["work|device-unassign:port|device|dom0:d:*|"]),
    ];

    /// <summary>Content of volumes is replaced: from another qube, by zeros, by data of a caller, which may give up.</summary>
    private static readonly Row[] VolumeRows =
    [
        new("admin.vm.volume.CloneFrom", "private", "work", "", []),
        new("admin.vm.volume.CloneTo", "private", "net", "REPLY", ["net|domain-import-volume|name|private|source|appvms/work/private|"]),
        new("admin.vm.volume.Clear", "private", "net", "",
            ["net|domain-volume-import-begin|volume|private|size|2147483648|", "net|domain-volume-import-end|volume|private|success|True|"]),
        new("internal.vm.volume.ImportBegin", "private", "net", "1048576", ["net|domain-volume-import-begin|volume|private|size|1048576|"]),
        new("internal.vm.volume.ImportEnd", "private", "net", "ok", ["net|domain-volume-import-end|volume|private|success|True|"]),
        new("internal.vm.volume.ImportBegin", "private", "net", "", ["net|domain-volume-import-begin|volume|private|size|1048576|"]),
        new("internal.vm.volume.ImportEnd", "private", "net", "fail\nno more", ["net|domain-volume-import-end|volume|private|success|False|"], Succeeds: false),
    ];

    /// <summary>Somebody asks for disposables to be kept ready; none are to be.</summary>
    private static readonly Row[] PreloadRows =
    [
        new("admin.vm.property.Set", "template_for_dispvms", "work", "True",
        [
            "work|property-pre-set:template_for_dispvms|name|template_for_dispvms|newvalue|True|oldvalue|False|", "work|property-reset:icon|name|icon|",
            "work|property-set:template_for_dispvms|name|template_for_dispvms|newvalue|True|oldvalue|False|",
        ]),
        new("admin.vm.feature.Set", "qrexec", "work", "1", FeatureSet("work", "qrexec", "1")),
        new("admin.vm.feature.Set", "supported-rpc.qubes.WaitForRunningSystem", "work", "1", FeatureSet("work", "supported-rpc.qubes.WaitForRunningSystem", "1")),
        new("admin.vm.feature.Set", "supported-rpc.qubes.WaitForSession", "work", "1", FeatureSet("work", "supported-rpc.qubes.WaitForSession", "1")),
        new("admin.vm.CreateDisposable", "preload", "work", "", ["work|domain-preload-dispvm-start|reason|autostart was requested|"]),
        new("admin.vm.feature.Set", "preload-dispvm-max", "work", "0",
            [.. FeatureSet("work", "preload-dispvm-max", "0"), "work|domain-preload-dispvm-start|reason|local feature was set|"]),
    ];

    private static readonly Row[] Rows =
    [
        new("admin.vm.Create.TemplateVM", "", "dom0", "name=debian label=black",
            ["|domain-add|vm|debian|", "debian|domain-tag-add:created-by-dom0|tag|created-by-dom0|", "debian|domain-create-on-disk|"]),
        new("admin.vm.Create.AppVM", "debian", "dom0", "name=work label=red",
            ["|domain-add|vm|work|", "work|domain-tag-add:created-by-dom0|tag|created-by-dom0|", "work|domain-create-on-disk|"]),
        new("admin.vm.Create.AppVM", "debian", "dom0", "name=net label=red",
            ["|domain-add|vm|net|", "net|domain-tag-add:created-by-dom0|tag|created-by-dom0|", "net|domain-create-on-disk|"]),
        new("admin.vm.property.Set", "label", "work", "green",
        [
            "work|property-pre-set:label|name|label|newvalue|green|oldvalue|red|", "work|property-reset:icon|name|icon|",
            "work|property-set:label|name|label|newvalue|green|oldvalue|red|",
        ]),
        new("admin.vm.property.Set", "provides_network", "net", "True",
        [
            "net|property-pre-set:provides_network|name|provides_network|newvalue|True|oldvalue|False|",
            "net|domain-feature-pre-set:servicevm|feature|servicevm|value|1|", "net|domain-feature-set:servicevm|feature|servicevm|value|1|",
            "net|property-reset:icon|name|icon|", "net|property-reset:gateway|name|gateway|", "net|property-reset:gateway6|name|gateway6|",
            "net|property-set:provides_network|name|provides_network|newvalue|True|oldvalue|False|",
        ]),
        new("admin.vm.property.Set", "netvm", "net", "",
            ["net|property-pre-set:netvm|name|netvm|newvalue|None|oldvalue|None|", "net|property-set:netvm|name|netvm|newvalue|None|oldvalue|None|"]),
        new("admin.property.Set", "default_netvm", "dom0", "net",
        [
            "|property-pre-set:default_netvm|name|default_netvm|newvalue|net|oldvalue|None|",
            "work|property-pre-set:netvm|name|netvm|newvalue|net|oldvalue|None|", "work|property-set:netvm|name|netvm|newvalue|net|oldvalue|None|",
            "work|property-reset:netvm|name|netvm|oldvalue|None|", "|property-set:default_netvm|name|default_netvm|newvalue|net|oldvalue|None|",
        ]),
        new("admin.vm.property.Set", "netvm", "work", "",
            ["work|property-pre-set:netvm|name|netvm|newvalue|None|oldvalue|net|", "work|property-set:netvm|name|netvm|newvalue|None|oldvalue|net|"]),
        new("admin.vm.property.Reset", "netvm", "work", "",
        [
            "work|property-pre-reset:netvm|name|netvm|oldvalue|None|", "work|property-pre-set:netvm|name|netvm|newvalue|net|oldvalue|None|",
            "work|property-pre-del:netvm|name|netvm|oldvalue|None|", "work|property-set:netvm|name|netvm|newvalue|net|oldvalue|None|",
            "work|property-reset:netvm|name|netvm|oldvalue|None|", "work|property-del:netvm|name|netvm|oldvalue|None|",
        ]),
        new("admin.vm.property.Set", "netvm", "work", "",
            ["work|property-pre-set:netvm|name|netvm|newvalue|None|oldvalue|net|", "work|property-set:netvm|name|netvm|newvalue|None|oldvalue|net|"]),
        new("admin.vm.property.Set", "vcpus", "debian", "3",
        [
            "debian|property-pre-set:vcpus|name|vcpus|newvalue|3|oldvalue|*|", "net|property-reset:vcpus|name|vcpus|",
            "work|property-reset:vcpus|name|vcpus|", "debian|property-set:vcpus|name|vcpus|newvalue|3|oldvalue|*|",
        ]),
        new("admin.vm.property.Set", "memory", "work", "500",
        [
            "work|property-pre-set:memory|name|memory|newvalue|500|oldvalue|400|", "work|property-set:memory|name|memory|newvalue|500|oldvalue|400|",
        ]),
        new("admin.vm.property.Reset", "memory", "work", "",
        [
            "work|property-pre-reset:memory|name|memory|oldvalue|500|", "work|property-pre-del:memory|name|memory|oldvalue|500|",
            "work|property-reset:memory|name|memory|oldvalue|500|", "work|property-del:memory|name|memory|oldvalue|500|",
        ]),
        new("admin.vm.property.Set", "guivm", "work", "",
        [
            "work|property-pre-set:guivm|name|guivm|newvalue|None|oldvalue|dom0|", "work|domain-tag-delete:guivm-dom0|tag|guivm-dom0|",
            "work|property-set:guivm|name|guivm|newvalue|None|oldvalue|dom0|",
        ]),
        new("admin.property.Set", "clockvm", "dom0", "work",
        [
            "|property-pre-set:clockvm|name|clockvm|newvalue|work|oldvalue|None|",
            "work|domain-feature-pre-set:service.clocksync|feature|service.clocksync|value|1|",
            "work|domain-feature-set:service.clocksync|feature|service.clocksync|value|1|",
            "|property-set:clockvm|name|clockvm|newvalue|work|oldvalue|None|",
        ]),
        new("admin.property.Set", "clockvm", "dom0", "net",
        [
            "|property-pre-set:clockvm|name|clockvm|newvalue|net|oldvalue|work|",
            "net|domain-feature-pre-set:service.clocksync|feature|service.clocksync|value|1|",
            "net|domain-feature-set:service.clocksync|feature|service.clocksync|value|1|",
            "work|domain-feature-pre-delete:service.clocksync|feature|service.clocksync|",
            "work|domain-feature-delete:service.clocksync|feature|service.clocksync|",
            "|property-set:clockvm|name|clockvm|newvalue|net|oldvalue|work|",
        ]),
        new("admin.vm.feature.Set", "f", "work", "1",
            ["work|domain-feature-pre-set:f|feature|f|value|1|", "work|domain-feature-set:f|feature|f|value|1|"]),
        new("admin.vm.feature.Set", "f", "work", "2",
            ["work|domain-feature-pre-set:f|feature|f|value|2|oldvalue|1|", "work|domain-feature-set:f|feature|f|value|2|oldvalue|1|"]),
        new("admin.vm.feature.Remove", "f", "work", "", ["work|domain-feature-pre-delete:f|feature|f|", "work|domain-feature-delete:f|feature|f|"]),
        new("admin.vm.tag.Set", "t", "work", "", ["work|domain-tag-add:t|tag|t|"]),
        new("admin.vm.tag.Set", "t", "work", "", []),
        new("admin.vm.tag.Remove", "t", "work", "", ["work|domain-tag-delete:t|tag|t|"]),
        new("admin.vm.device.lamp.Assign", "dom0+desk", "work", "mode='ask-to-attach'",
            ["work|device-pre-assign:lamp|device|dom0:desk:*|options|{}|", "work|device-assign:lamp|device|dom0:desk:*|options|{}|"]),
        new("admin.vm.device.lamp.Set.assignment", "dom0+desk", "work", "auto-attach",
            ["work|device-pre-assign:lamp|device|dom0:desk:*|options|{}|", "work|device-assignment-changed:lamp|device|dom0:desk:*|"]),
        new("admin.vm.device.lamp.Unassign", "dom0+desk", "work", "", ["work|device-unassign:lamp|device|dom0:desk:*|"]),
        new("admin.vm.Start", "", "work", "", ["work|domain-pre-start|start_guid|True|mem_required|None|", "work|domain-verify-files|", .. WorkStarts]),
        new("admin.vm.device.lamp.Attach", "dom0+desk", "work", "",
        [
            "work|device-pre-attach:lamp|device|dom0:desk:0001:0002:lamp|options|{}|",
            "work|device-attach:lamp|device|dom0:desk:0001:0002:lamp|options|{'brightness': '50'}|",
        ]),
        new("admin.vm.device.lamp.Detach", "dom0+desk", "work", "",
            ["work|device-pre-detach:lamp|port|dom0:desk|", "work|device-detach:lamp|port|dom0:desk|"]),
        .. DeviceRows,
        new("admin.vm.Pause", "", "work", "", ["work|domain-pre-paused|", "work|domain-paused|"]),
        new("admin.vm.Unpause", "", "work", "", ["work|domain-pre-unpaused|", "work|domain-unpaused|"]),
        new("admin.vm.Shutdown", "wait", "work", "", ["work|domain-pre-shutdown|force|False|", .. WorkEnds]),
        new("admin.vm.Start", "", "work", "", ["work|domain-pre-start|start_guid|True|mem_required|None|", "work|domain-verify-files|", .. WorkStarts]),
        new("admin.vm.Kill", "", "work", "", [.. WorkEnds]),
        new("admin.vm.feature.Set", "prohibit-start", "work", "no",
            ["work|domain-feature-pre-set:prohibit-start|feature|prohibit-start|value|no|", "work|domain-feature-set:prohibit-start|feature|prohibit-start|value|no|"]),
        new("admin.vm.Start", "", "work", "", ["work|domain-start-failed|reason|Qube start is prohibited. Rationale: no|"], Succeeds: false),
        new("admin.vm.feature.Remove", "prohibit-start", "work", "",
            ["work|domain-feature-pre-delete:prohibit-start|feature|prohibit-start|", "work|domain-feature-delete:prohibit-start|feature|prohibit-start|"]),
        new("admin.vm.tag.Set", "locked", "work", "", ["work|domain-tag-add:locked|tag|locked|"]),
        new("admin.vm.Start", "", "work", "",
            ["work|domain-pre-start|start_guid|True|mem_required|None|", "work|domain-start-failed|reason|Qube work is locked|"], Succeeds: false),
        .. VolumeRows,
        .. PreloadRows,
        new("admin.vm.Remove", "", "work", "", ["|domain-pre-delete|vm|work|", "|domain-delete|vm|work|"]),
        new("admin.pool.Add", "file-qcow2", "dom0", "name=second\ndir_path=ROOT/pool", ["|pool-add|pool|second|"]),
        new("admin.pool.Remove", "second", "dom0", "", ["|pool-pre-delete|pool|second|", "|pool-delete|pool|second|"]),
    ];

    [Fact]
    public async Task Each_change_is_told_by_exactly_its_events_in_their_order()
    {
        using ScratchRoot root = new();
        root.AddExtension("lamp", ExtensionRoot.Copy(root, "lamp.py"));
        root.AddExtension("ports", ExtensionRoot.Copy(root, "ports.py"));
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        using EventStream events = await EventStream.OpenAsync(daemon.Paths.AdminSocket);

        // It publishes its devices when it has been greeted, which is news of its own.
        while (await daemon.CallAsync("admin.vm.device.lamp.Available") == "0\0")
        {
            await Task.Yield();
        }

        const string begin = "domain-tag-add:begin\0tag\0begin\0\0";
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", "begin"));
        string before = await events.ReadUntilAsync(begin);
        int at = before.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        string reply = "0\0";
        for (int i = 0; i < Rows.Length; i++)
        {
            Row row = Rows[i];
            string payload = row.Payload.Replace("ROOT", root.Path, StringComparison.Ordinal).Replace("REPLY", reply[2..], StringComparison.Ordinal);
            reply = await RawClient.CallAsync(row.Method.StartsWith("internal.", StringComparison.Ordinal) ? daemon.Paths.InternalSocket : daemon.Paths.AdminSocket,
                $"{row.Method}+{row.Argument} dom0 name {row.Destination}\0{payload}");
            Assert.True(reply.StartsWith("0\0", StringComparison.Ordinal) == row.Succeeds, $"{row}: {reply}");

            // Those that come from the hypervisor come when they come.
            if (row.Expected.Length > 0 && !row.Expected[^1].Contains('*', StringComparison.Ordinal))
            {
                await events.ReadUntilAsync(Raw(row.Expected[^1]), from: at);
            }

            if (row.Argument == "label")
            {
                await events.ReadUntilAsync("domain-feature-set:lamp-label\0feature\0lamp-label\0value\0green\0\0", from: at);
            }

            string mark = $"1\0dom0\0domain-tag-add:mark-{i}\0tag\0mark-{i}\0\0";
            Assert.Equal("0\0", await daemon.CallAsync("admin.vm.tag.Set", $"mark-{i}"));
            string seen = await events.ReadUntilAsync(mark, from: at);
            int end = seen.IndexOf(mark, at, StringComparison.Ordinal);
            Assert.Equal(row.Expected, Messages(seen[at..end]).Where(m => !m.Contains("lamp-label", StringComparison.Ordinal) && !IsOfHost(m)));
            at = end + mark.Length;
        }
    }

    /// <summary>Disks of the machine come and go as they like.</summary>
    private static bool IsOfHost(string message) =>
        message.StartsWith("dom0|device-", StringComparison.Ordinal) && (message.Contains(":block|", StringComparison.Ordinal) || message.Contains(":usb|", StringComparison.Ordinal));

    private static string[] FeatureSet(string qube, string feature, string value, string? oldValue = null)
    {
        string arguments = $"feature|{feature}|value|{value}|" + (oldValue is null ? "" : $"oldvalue|{oldValue}|");
        return [$"{qube}|domain-feature-pre-set:{feature}|{arguments}", $"{qube}|domain-feature-set:{feature}|{arguments}"];
    }

    private static string Raw(string expected) => "1\0" + expected.Replace('|', '\0') + "\0";

    // '1' NUL subject NUL event NUL (key NUL value NUL)* NUL; no value of these rows is empty
    private static IEnumerable<string> Messages(string raw)
    {
        for (int at = 0; at < raw.Length;)
        {
            Assert.Equal("1\0", raw.Substring(at, 2));
            int end = raw.IndexOf("\0\0", at + 3, StringComparison.Ordinal);
            string message = raw[(at + 2)..(end + 1)].Replace('\0', '|');

            // How many processors the machine has is its own business.
            yield return message.Contains("vcpus|newvalue", StringComparison.Ordinal)
                ? string.Concat(message.AsSpan(0, message.LastIndexOf("oldvalue|", StringComparison.Ordinal)), "oldvalue|*|")
                : message;
            at = end + 2;
        }
    }

    private sealed record Row(string Method, string Argument, string Destination, string Payload, string[] Expected, bool Succeeds = true);
}
