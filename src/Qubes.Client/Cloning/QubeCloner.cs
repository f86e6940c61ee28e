using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Client.Cloning;

/// <summary>
/// Makes a qube like another one: there is no call for it, a client creates a qube and copies one thing after the other. What was
/// begun and cannot be finished is removed again.
/// </summary>
/// <param name="app">The daemon.</param>
/// <param name="options">How.</param>
public sealed class QubeCloner(QubesApp app, CloneOptions options)
{
    private const string CreatedBy = "created-by-";
    private const string Preload = "preload-dispvm";

    // Identity, what creation sets, and what makes a qube the package manager's.
    private static readonly string[] NotCopied = ["name", "qid", "template", "label", "uuid", "installed_by_rpm"];

    /// <summary>Clones a qube.</summary>
    /// <exception cref="QubesException">It could not be cloned; nothing remains of the clone.</exception>
    public async Task<Qube> CloneAsync(Qube source, string newName, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        string className = options.ClassName ?? (await source.GetInfoAsync(cancellation)).Class;
        string label = options.Label ?? (await source.GetPropertyAsync("label", cancellation)).Raw;
        Qube clone = await app.CreateAsync(
            className, newName, label, await FindTemplateAsync(source, className, cancellation), options.Pool, options.VolumePools, cancellation);
        try
        {
            await CopySettingsAsync(source, clone, className, cancellation);
            await CopyVolumesAsync(source, clone, cancellation);
            await TryAsync("devices", () => CopyAssignmentsAsync(source, clone, cancellation));
        }
        catch
        {
            await RemoveAsync(clone);
            throw;
        }

        return clone;
    }

    private async Task CopySettingsAsync(Qube source, Qube clone, string className, CancellationToken cancellation)
    {
        await CopyPropertiesAsync(source, clone, cancellation);
        await TryAsync("tags", async () =>
        {
            foreach (string tag in (await source.ListTagsAsync(cancellation)).Where(tag => !tag.StartsWith(CreatedBy, StringComparison.Ordinal)))
            {
                await clone.AddTagAsync(tag, cancellation);
            }
        });
        await TryAsync("features", async () =>
        {
            foreach (string feature in (await source.ListFeaturesAsync(cancellation)).Where(IsCopied))
            {
                await clone.SetFeatureAsync(feature, await source.GetFeatureAsync(feature, cancellation) ?? "", cancellation);
            }
        });
        if (className == "RemoteVM")
        {
            return;
        }

        await TryAsync("notes", () => CopyTextAsync(source, clone, "admin.vm.notes", cancellation));
        await TryAsync("firewall", () => CopyTextAsync(source, clone, "admin.vm.firewall", cancellation));
    }

    private async Task CopyPropertiesAsync(Qube source, Qube clone, CancellationToken cancellation)
    {
        foreach ((string property, PropertyValue value) in await source.GetPropertiesAsync(cancellation))
        {
            if (value.IsDefault || NotCopied.Contains(property))
            {
                continue;
            }

            await TryAsync(property, async () =>
            {
                try
                {
                    await clone.SetPropertyAsync(property, value.Raw, cancellation);
                }
                catch (QubesException absent) when (absent.Is(QubesErrorNames.NoSuchProperty))
                {
                    // The clone is of another class.
                }
            });
        }
    }

    /// <summary>Copies a text that a call Get gives and a call Set takes; an empty one is what the clone has anyway.</summary>
    private static async Task CopyTextAsync(Qube source, Qube clone, string calls, CancellationToken cancellation)
    {
        string text = await source.CallAsync(calls + ".Get", cancellation: cancellation);
        if (text.Length > 0)
        {
            await clone.CallAsync(calls + ".Set", payload: text, cancellation: cancellation);
        }
    }

    private async Task CopyVolumesAsync(Qube source, Qube clone, CancellationToken cancellation)
    {
        foreach (string volume in (await clone.ListVolumesAsync(cancellation)).Order(StringComparer.Ordinal))
        {
            bool isKept = (await clone.GetVolumeInfoAsync(volume, cancellation)).Any(pair => pair is { Key: "save_on_stop", Value: "True" });
            if (isKept && !options.SkippedVolumes.Contains(volume))
            {
                options.Report?.Invoke($"{clone.Name}: Cloning {volume} volume");
                await clone.CloneVolumeFromAsync(source, volume, volume, cancellation);
            }
        }
    }

    private async Task CopyAssignmentsAsync(Qube source, Qube clone, CancellationToken cancellation)
    {
        foreach (string deviceClass in PropertyHolder.Lines(await app.CallAsync("admin.deviceclass.List", cancellation: cancellation)))
        {
            string prefix = $"admin.vm.device.{deviceClass}.";
            foreach (string line in PropertyHolder.Lines(await source.CallAsync(prefix + "Assigned", cancellation: cancellation)))
            {
                AssignmentRequest assignment = AssignmentRequest.ParseLine(line, deviceClass) with { Frontend = clone.Name };
                await clone.CallAsync(prefix + "Assign", assignment.Device.ToArgument(), assignment.Write(), cancellation);
            }
        }
    }

    private static async Task<string?> FindTemplateAsync(Qube source, string className, CancellationToken cancellation)
    {
        if (className is "TemplateVM" or "StandaloneVM" or "RemoteVM")
        {
            return null;
        }

        try
        {
            return (await source.GetPropertyAsync("template", cancellation)).Raw is { Length: > 0 } template ? template : null;
        }
        catch (QubesException absent) when (absent.Is(QubesErrorNames.NoSuchProperty))
        {
            return null;
        }
    }

    private static bool IsCopied(string feature) =>
        !feature.StartsWith(Preload, StringComparison.Ordinal) || feature == Preload + "-max";

    private async Task TryAsync(string what, Func<Task> copy)
    {
        try
        {
            await copy();
        }
        catch (QubesException failure) when (options.IgnoreErrors)
        {
            options.Report?.Invoke($"Failed to clone {what}: {failure.Message}");
        }
    }

    private async Task RemoveAsync(Qube clone)
    {
        try
        {
            await clone.RemoveAsync(CancellationToken.None);
        }
        catch (QubesException failure)
        {
            // What made the clone fail is the news; that it is still there, too.
            options.Report?.Invoke($"{clone.Name} could not be removed: {failure.Message}");
        }
    }
}
