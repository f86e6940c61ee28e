using System.Text;
using Qubes.Client.Transport;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;

namespace Qubes.Client;

/// <summary>One qube, by name. Holds no state: every member asks the daemon.</summary>
public sealed class Qube : PropertyHolder
{
    internal Qube(IAdminTransport transport, string name)
        : base(transport, name, "admin.vm.property.")
    {
    }

    public async ValueTask StartAsync(CancellationToken cancellation = default) =>
        await CallAsync("admin.vm.Start", cancellation: cancellation);

    /// <param name="force">Also when it provides something others use.</param>
    /// <param name="wait">Return only when it is halted, or fail after its <c>shutdown_timeout</c>.</param>
    /// <param name="cancellation">Stops waiting for the answer; the daemon goes on.</param>
    public async ValueTask ShutdownAsync(bool force = false, bool wait = false, CancellationToken cancellation = default) =>
        await CallAsync("admin.vm.Shutdown", (force, wait) switch
        {
            (true, true) => "force+wait",
            (true, false) => "force",
            (false, true) => "wait",
            _ => "",
        }, cancellation: cancellation);

    public async ValueTask KillAsync(CancellationToken cancellation = default) => await CallAsync("admin.vm.Kill", cancellation: cancellation);

    public async ValueTask PauseAsync(CancellationToken cancellation = default) => await CallAsync("admin.vm.Pause", cancellation: cancellation);

    public async ValueTask UnpauseAsync(CancellationToken cancellation = default) =>
        await CallAsync("admin.vm.Unpause", cancellation: cancellation);

    public async ValueTask SuspendAsync(CancellationToken cancellation = default) =>
        await CallAsync("admin.vm.Suspend", cancellation: cancellation);

    public async ValueTask ResumeAsync(CancellationToken cancellation = default) =>
        await CallAsync("admin.vm.Resume", cancellation: cancellation);

    public async ValueTask RemoveAsync(CancellationToken cancellation = default) => await CallAsync("admin.vm.Remove", cancellation: cancellation);

    /// <summary>Class and state, as <c>admin.vm.List</c> sent to the qube tells them.</summary>
    public async ValueTask<QubeInfo> GetInfoAsync(CancellationToken cancellation = default) =>
        QubeInfo.Parse((await CallAsync("admin.vm.List", cancellation: cancellation)).TrimEnd('\n'));

    /// <summary>Power state, memory (KiB) and processor time (ns).</summary>
    public async ValueTask<IReadOnlyDictionary<string, string>> GetCurrentStateAsync(CancellationToken cancellation = default)
    {
        string content = await CallAsync("admin.vm.CurrentState", cancellation: cancellation);
        return content.Split(' ').Select(w => w.Split('=', 2)).Where(p => p.Length == 2)
            .ToDictionary(p => p[0], p => p[1], StringComparer.Ordinal);
    }

    /// <summary>The power state word; <c>NA</c> where the caller may not know it.</summary>
    public async ValueTask<string> GetPowerStateAsync(CancellationToken cancellation = default)
    {
        try
        {
            return (await GetCurrentStateAsync(cancellation)).GetValueOrDefault("power_state", "NA");
        }
        catch (QubesException e) when (ClientErrors.IsAccess(e))
        {
            return "NA";
        }
    }

    public async ValueTask<string[]> ListFeaturesAsync(CancellationToken cancellation = default) =>
        Lines(await CallAsync("admin.vm.feature.List", cancellation: cancellation));

    /// <summary>The feature's value, or null if it is not set.</summary>
    public ValueTask<string?> GetFeatureAsync(string feature, CancellationToken cancellation = default) =>
        FeatureAsync("Get", feature, cancellation);

    /// <summary>The feature's value here or on the nearest template that has it, or null.</summary>
    public ValueTask<string?> CheckFeatureWithTemplateAsync(string feature, CancellationToken cancellation = default) =>
        FeatureAsync("CheckWithTemplate", feature, cancellation);

    public async ValueTask SetFeatureAsync(string feature, string value, CancellationToken cancellation = default) =>
        await CallAsync("admin.vm.feature.Set", feature, value, cancellation);

    /// <summary>Removes a feature. One that is not set is no error.</summary>
    public async ValueTask RemoveFeatureAsync(string feature, CancellationToken cancellation = default) =>
        await IgnoringAsync(QubesErrorNames.FeatureNotFound, CallAsync("admin.vm.feature.Remove", feature, cancellation: cancellation));

    public async ValueTask<string[]> ListTagsAsync(CancellationToken cancellation = default) =>
        Lines(await CallAsync("admin.vm.tag.List", cancellation: cancellation));

    public async ValueTask<bool> HasTagAsync(string tag, CancellationToken cancellation = default) =>
        await CallAsync("admin.vm.tag.Get", tag, cancellation: cancellation) == "1";

    public async ValueTask AddTagAsync(string tag, CancellationToken cancellation = default) =>
        await CallAsync("admin.vm.tag.Set", tag, cancellation: cancellation);

    /// <summary>Removes a tag. One that is not set is no error.</summary>
    public async ValueTask RemoveTagAsync(string tag, CancellationToken cancellation = default) =>
        await IgnoringAsync(QubesErrorNames.TagNotFound, CallAsync("admin.vm.tag.Remove", tag, cancellation: cancellation));

    /// <summary>The firewall rules that hold now, in order.</summary>
    public async ValueTask<IReadOnlyList<FirewallRule>> GetFirewallRulesAsync(CancellationToken cancellation = default) =>
        [.. Lines(await CallAsync("admin.vm.firewall.Get", cancellation: cancellation)).Select(FirewallRuleParser.Parse)];

    /// <summary>Replaces all firewall rules; at least one is needed.</summary>
    public async ValueTask SetFirewallRulesAsync(IEnumerable<FirewallRule> rules, CancellationToken cancellation = default) =>
        await CallAsync("admin.vm.firewall.Set", payload: string.Concat(rules.Select(rule => rule.ApiText + "\n")), cancellation: cancellation);

    /// <summary>Has the firewall rules applied anew, host names resolved again.</summary>
    public async ValueTask ReloadFirewallAsync(CancellationToken cancellation = default) =>
        await CallAsync("admin.vm.firewall.Reload", cancellation: cancellation);

    /// <summary>What people have written about the qube; empty if nothing.</summary>
    public ValueTask<string> GetNotesAsync(CancellationToken cancellation = default) => CallAsync("admin.vm.notes.Get", cancellation: cancellation);

    /// <summary>Replaces the notes; an empty text removes them. Characters unfit for display become <c>_</c>.</summary>
    public async ValueTask SetNotesAsync(string notes, CancellationToken cancellation = default) =>
        await CallAsync("admin.vm.notes.Set", payload: notes, cancellation: cancellation);

    public async ValueTask<string[]> ListVolumesAsync(CancellationToken cancellation = default) =>
        Lines(await CallAsync("admin.vm.volume.List", cancellation: cancellation));

    /// <summary>Size and usage in bytes, pool, flags: the lines of <c>admin.vm.volume.Info</c> in their order.</summary>
    public async ValueTask<IReadOnlyList<KeyValuePair<string, string>>> GetVolumeInfoAsync(string volume, CancellationToken cancellation = default) =>
        [.. Lines(await CallAsync("admin.vm.volume.Info", volume, cancellation: cancellation))
            .Select(l => l.Split('=', 2)).Where(p => p.Length == 2).Select(p => new KeyValuePair<string, string>(p[0], p[1]))];

    /// <summary>Replaces a volume's content by <paramref name="data"/>.</summary>
    /// <param name="volume">The volume's name, for example <c>root</c>.</param>
    /// <param name="data">Exactly as many bytes as the volume is to hold.</param>
    /// <param name="size">The new size in bytes, or null to keep the volume's.</param>
    /// <param name="cancellation">Abandons the transfer; the volume then keeps its old content.</param>
    public async ValueTask ImportVolumeAsync(string volume, Stream data, long? size, CancellationToken cancellation = default)
    {
        AdminCall call = size is { } bytes
            ? new(Name, "admin.vm.volume.ImportWithSize", volume, Encoding.ASCII.GetBytes(FormattableString.Invariant($"{bytes}\n")))
            : new(Name, "admin.vm.volume.Import", volume);
        AdminReply.Content(await Transport.SendStreamAsync(call, data, cancellation));
    }

    /// <summary>The older contents a volume can go back to, the oldest first.</summary>
    public async ValueTask<string[]> ListRevisionsAsync(string volume, CancellationToken cancellation = default) =>
        Lines(await CallAsync("admin.vm.volume.ListSnapshots", volume, cancellation: cancellation));

    /// <summary>Replaces a volume's content by that of another volume, which may be another qube's.</summary>
    public async ValueTask CloneVolumeFromAsync(Qube source, string sourceVolume, string volume, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        string token = await source.CallAsync("admin.vm.volume.CloneFrom", sourceVolume, cancellation: cancellation);
        await CallAsync("admin.vm.volume.CloneTo", volume, token, cancellation);
    }

    /// <summary>Its devices of one class.</summary>
    public QubeDevices DevicesOf(string deviceClass) => new(this, deviceClass);

    /// <summary>The interfaces of devices that may not be attached to it.</summary>
    public async ValueTask<IReadOnlyList<DeviceInterface>> ListDeniedInterfacesAsync(CancellationToken cancellation = default) =>
        [.. Lines(await CallAsync("admin.vm.device.denied.List", cancellation: cancellation)).Select(DeviceInterface.FromCode)];

    private async ValueTask<string?> FeatureAsync(string kind, string feature, CancellationToken cancellation)
    {
        try
        {
            return await CallAsync("admin.vm.feature." + kind, feature, cancellation: cancellation);
        }
        catch (QubesException e) when (e.Is(QubesErrorNames.FeatureNotFound))
        {
            return null;
        }
    }

    private static async ValueTask IgnoringAsync(string error, ValueTask<string> call)
    {
        try
        {
            await call;
        }
        catch (QubesException e) when (e.Is(error))
        {
        }
    }
}
