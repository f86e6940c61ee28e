using System.Globalization;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Firewall;
using Qubes.Model.Notes;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;
using Qubes.Store.History;

namespace Qubes.Admin.Planning;

/// <summary>
/// Turns an entry of the history into the steps that take it back. Properties, features, tags, device assignments,
/// firewall rules, notes, labels and the settings of pools and volumes go back; what holds data (a qube, a volume, a pool) does not.
/// </summary>
internal static class ChangeUndo
{
    private const string Property = "property ";
    private const string Feature = "feature ";
    private const string Tag = "tag ";
    private const string Device = "device ";
    private const string Label = "label ";
    private const string Pool = "pool ";
    private const string Volume = "volume ";

    /// <exception cref="QubesException">Something in it cannot be taken back.</exception>
    public static IReadOnlyList<ChangeStep> StepsFor(HistoryEntry entry)
    {
        List<ChangeStep> steps = [];
        foreach (Net net in Nets(entry))
        {
            string place = net.Place;
            steps.Add(net.Item switch
            {
                _ when net.Item.StartsWith(Property, StringComparison.Ordinal) =>
                    new PropertyStep(place, net.Subject, net.Item[Property.Length..], net.Before),
                _ when net.Item.StartsWith(Feature, StringComparison.Ordinal) =>
                    new FeatureStep(place, net.Subject, net.Item[Feature.Length..], net.Before),
                _ when net.Item.StartsWith(Device, StringComparison.Ordinal) => DeviceStepFor(entry, net),
                QubeFirewall.Item => new FirewallStep(place, net.Subject, net.Before is "" ? [] : net.Before?.Split('\n')),
                QubeNotes.Item => new NotesStep(place, net.Subject, net.Before),
                _ when net.Item.StartsWith(Pool, StringComparison.Ordinal) => new PoolSettingStep(place, Part(net, 1), Part(net, 2), net.Before!),
                _ when net.Item.StartsWith(Volume, StringComparison.Ordinal) =>
                    new VolumeSettingStep(place, net.Subject, Part(net, 1), Part(net, 2), net.Before),
                _ when net.Item.StartsWith(Label, StringComparison.Ordinal) => new LabelStep(place, net.Item[Label.Length..], net.Before),
                _ => new TagStep(place, net.Subject, net.Item[Tag.Length..], net.Before is not null),
            });
        }

        return steps.Count > 0 ? steps : throw CannotUndo(entry, "it changed nothing that can be set back");
    }

    /// <summary>What the entry changed has not been changed again since, unless back.</summary>
    /// <exception cref="QubesException"><c>QubesConflictError</c>.</exception>
    public static void RequireUnchanged(QubesApp app, HistoryEntry entry)
    {
        foreach (Net net in Nets(entry))
        {
            string? now = Current(app, entry, net);
            if (now != net.After && now != net.Before)
            {
                throw QubesErrors.Conflict(string.Create(CultureInfo.InvariantCulture,
                    $"Revision {entry.Revision} cannot be undone: {net.Place} was changed since, from {Show(net.After)} to {Show(now)}"));
            }
        }
    }

    private static string Show(string? value) => value is null ? "not set" : $"'{value}'";

    private static QubesException CannotUndo(HistoryEntry entry, string reason) => QubesErrors.Conflict(
        string.Create(CultureInfo.InvariantCulture, $"Revision {entry.Revision} cannot be undone: {reason}"));

    /// <summary>Of each thing that changed what it was before all and after all, in order of the first change.</summary>
    private static List<Net> Nets(HistoryEntry entry)
    {
        List<Net> nets = [];
        foreach (ChangeRecord record in entry.Changes)
        {
            if (IsCarried(entry, record))
            {
                continue;
            }

            RefuseIfData(entry, record);
            int at = nets.FindIndex(net => net.Subject == record.Subject && net.Item == record.Item);
            if (at < 0)
            {
                nets.Add(new Net(record.Subject, record.Item, record.Before, record.After));
            }
            else
            {
                nets[at] = nets[at] with { After = record.After };
            }
        }

        return nets;
    }

    /// <summary>The volumes of a qube follow its template: setting that back sets them back.</summary>
    private static bool IsCarried(HistoryEntry entry, ChangeRecord record) =>
        record.Item.StartsWith("volume ", StringComparison.Ordinal)
        && entry.Changes.Any(change => change.Subject == record.Subject && change.Item == "property template" && change.Before is not null);

    private static void RefuseIfData(HistoryEntry entry, ChangeRecord record)
    {
        if (WhyNot(record) is { } reason)
        {
            throw CannotUndo(entry, reason);
        }

        if (HistoryReader.IsCut(record.Before) || HistoryReader.IsCut(record.After))
        {
            throw CannotUndo(entry, $"the history does not hold all of {record.Item}");
        }
    }

    /// <summary>Null if it can be set back.</summary>
    private static string? WhyNot(ChangeRecord record)
    {
        string[] words = record.Item.Split(' ');
        return words[0] switch
        {
            "property" or "feature" or "tag" or "device" or "label" or QubeFirewall.Item or QubeNotes.Item => null,
            "qube" when record.After is null => $"it removed the qube {record.Subject}, whose volumes are deleted",
            "qube" => $"it made the qube {record.Subject}, whose volumes would be deleted: remove the qube if that is meant",
            "pool" when words.Length == 3 && StorageChanges.IsPoolSetting(words[2]) => record.Before is not null ? null
                : $"pool {words[1]} had no {words[2]} of its own before",
            "pool" => $"it changed {record.Item}, in which volumes may have been made since: add or remove the pool, its data stays",
            "volume" when words.Length == 3 && StorageChanges.IsVolumeSetting(words[2]) => null,
            "volume" => $"it changed {record.Item} of {record.Subject}, whose data does not go back with it",
            _ => $"it changed {record.Item}, which this version does not know",
        };
    }

    private static string? Current(QubesApp app, HistoryEntry entry, Net net)
    {
        PropertyHolder holder = net.Subject.Length == 0 ? app
            : app.Domains.TryGet(net.Subject, out Qube? qube) ? qube
            : throw CannotUndo(entry, $"the qube {net.Subject} is gone");
        if (net.Item.StartsWith(Property, StringComparison.Ordinal))
        {
            PropertyDefinition property = holder.Property(net.Item[Property.Length..]);
            return property.IsExplicit(holder) ? property.Read(holder).Text : null;
        }

        if (net.Item.StartsWith(Pool, StringComparison.Ordinal))
        {
            return app.Pools.TryGet(Part(net, 1), out PoolConfig? pool) ? pool[Part(net, 2)] : throw CannotUndo(entry, $"the pool {Part(net, 1)} is gone");
        }

        if (net.Item.StartsWith(Label, StringComparison.Ordinal))
        {
            return app.Labels.All.FirstOrDefault(label => label.Name == net.Item[Label.Length..])?.Color;
        }

        if (holder is not Qube owner)
        {
            throw CannotUndo(entry, $"it changed {net.Item} of the system");
        }

        if (net.Item.StartsWith(Volume, StringComparison.Ordinal))
        {
            return (owner as QubesVM)?.Volumes.TryGet(Part(net, 1), out VolumeConfig? volume) == true ? StorageChanges.TextOf(volume, Part(net, 2)) : null;
        }

        if (net.Item is QubeFirewall.Item or QubeNotes.Item)
        {
            return CurrentFile(owner as QubesVM, net);
        }

        if (net.Item.StartsWith(Device, StringComparison.Ordinal))
        {
            VirtualDevice device = DeviceOf(entry, net);
            return (owner as LocalQube)?.Devices.OfClass(device.Port.DeviceClass).FirstOrDefault(a => a.Device == device)?.HistoryText;
        }

        return net.Item.StartsWith(Feature, StringComparison.Ordinal) ? owner.Features.Get(net.Item[Feature.Length..])
            : owner.Tags.Contains(net.Item[Tag.Length..]) ? ""
            : null;
    }

    /// <summary>Of notes only which text they are is at hand.</summary>
    private static string? CurrentFile(QubesVM? owner, Net net) => net.Item == QubeFirewall.Item
        ? owner is { Firewall.Damage: null } ? QubeFirewall.HistoryText(owner.Firewall.Rules) : QubeFirewall.Unreadable
        : owner?.Notes.Digest == QubeNotes.DigestOf(net.After ?? "") ? net.After
        : owner?.Notes.Digest == QubeNotes.DigestOf(net.Before ?? "") ? net.Before
        : "another text";

    /// <summary>Items are words: <c>pool NAME OPTION</c>, <c>volume NAME FIELD</c>.</summary>
    private static string Part(Net net, int word) => net.Item.Split(' ')[word];

    private static DeviceStep DeviceStepFor(HistoryEntry entry, Net net)
    {
        VirtualDevice device = DeviceOf(entry, net);
        if (net.Before is null)
        {
            return new DeviceStep(net.Place, net.Subject, device, null, []);
        }

        (string mode, IReadOnlyList<KeyValuePair<string, string>> options) = DeviceAssignment.ParseHistory(net.Before);
        return new DeviceStep(net.Place, net.Subject, device, mode, options);
    }

    /// <summary>Item: <c>device CLASS BACKEND:PORT:DEVICEID</c>.</summary>
    private static VirtualDevice DeviceOf(HistoryEntry entry, Net net)
    {
        string[] words = net.Item.Split(' ', 3);
        return words.Length == 3 && VirtualDevice.TryParseText(words[2], words[1], out VirtualDevice? device)
            ? device
            : throw CannotUndo(entry, $"the history does not tell {net.Item} in full");
    }

    private sealed record Net(string Subject, string Item, string? Before, string? After)
    {
        public string Place => Subject.Length == 0 ? $"{Item} of the system" : $"{Item} of {Subject}";
    }
}
