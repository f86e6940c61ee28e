using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Qubes.Model.Classes;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;

namespace Qubes.Lifecycle.Disposables;

/// <summary>Whether a disposable started ahead of need is still what one started now would be.</summary>
internal sealed class PreloadFreshness(DisposableContext context)
{
    /// <summary>Properties that differ by nature, or make no difference to a running disposable.</summary>
    internal static readonly FrozenSet<string> Ignored = FrozenSet.Create(
        StringComparer.Ordinal,
        "autostart", "backup_timestamp", "default_dispvm", "dispid", "gateway", "gateway6", "icon", "include_in_backups", "installed_by_rpm",
        "ip", "ip6", "klass", "name", "qid", "start_time", "stubdom_uuid", "stubdom_xid", "template", "template_for_dispvms", "updateable",
        "uuid", "visible_gateway", "visible_gateway6", "visible_ip", "visible_ip6", "xid");

    private const string Private = "private";

    internal async Task<bool> IsOutdatedAsync(DispVM disposable)
    {
        if (disposable.Template is not { } template || HasOtherSize(disposable, template) || FindDifference(disposable, template) is not null)
        {
            return true;
        }

        try
        {
            return (await context.Lifecycle.StorageOf(disposable).FindOutdatedAsync()).Count > 0;
        }
        catch (Exception failure)
        {
            context.Log.LogError(failure, "Whether the volumes of {Qube} are up to date cannot be told", disposable.Name);
            return true;
        }
    }

    /// <summary>The name of a property both have, with different values.</summary>
    internal static string? FindDifference(DispVM disposable, QubesVM template)
    {
        foreach (PropertyDefinition property in disposable.Properties.InListOrder)
        {
            if (!Ignored.Contains(property.Name) && template.Properties.TryFind(property.Name, out PropertyDefinition? theirs)
                && property.Read(disposable) is var own && theirs.Read(template) is var other
                && (own.HasValue != other.HasValue || own.Text != other.Text))
            {
                return property.Name;
            }
        }

        return null;
    }

    private static bool HasOtherSize(DispVM disposable, QubesVM template) =>
        disposable.Volumes.TryGet(Private, out VolumeConfig? own) && template.Volumes.TryGet(Private, out VolumeConfig? theirs)
        && own.Size != theirs.Size;
}
