using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Labels;
using Qubes.Model.Network;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;
using Qubes.Protocol.Text;
using Qubes.Store.Format;

namespace Qubes.Store.Loading;

/// <summary>What older files say in other words.</summary>
internal static class Migrations
{
    /// <summary>A global property that is gone: the netvm of qubes that provide network.</summary>
    public const string OldFirewallNetVM = "default_fw_netvm";

    private const string OldGray = "0x555753";
    private const string Gray = "0x555555";

    /// <summary>The gray that came with the system had a tinge of green; whoever chose that colour for a label of theirs keeps it.</summary>
    public static string LabelColor(int index, string color) => color == OldGray && index <= LabelSet.MaxBuiltInIndex ? Gray : color;

    /// <summary>
    /// Gives renamed properties their names of today: <c>hvm</c> became <c>virt_mode</c>, on AppVMs <c>dispvm_allowed</c> became
    /// <c>template_for_dispvms</c>. Where a store has both, the new one counts.
    /// </summary>
    /// <exception cref="QubesException">A value that is none.</exception>
    public static void RenameProperties(QubeClass qubeClass, StoredQube stored)
    {
        if (qubeClass.Properties.Contains("virt_mode"))
        {
            Rename(stored, "hvm", "virt_mode", text => ToBool(text) ? "hvm" : "pv");
        }

        if (qubeClass == QubeClasses.AppVM)
        {
            Rename(stored, "dispvm_allowed", "template_for_dispvms", text => PythonText.Bool(ToBool(text)));
        }
    }

    /// <summary>The value in today's terms.</summary>
    public static string PropertyText(QubesApp app, string name, string text) =>
        name is "default_dispvm" or "management_dispvm" ? DisposableTemplateOrNone(app, text) : text;

    /// <summary>
    /// Old stores gave qubes that provide network another default netvm. Where it differs from today's default, those that do not say
    /// themselves are given it explicitly.
    /// </summary>
    public static void BeforeGlobalProperties(QubesApp app, StoreDocument document, IReadOnlyDictionary<Qube, StoredQube> loaded)
    {
        string old = document.Properties.FindLast(p => p.Key == OldFirewallNetVM).Value ?? "";
        string current = document.Properties.FindLast(p => p.Key == "default_netvm").Value ?? "";
        if (old.Length == 0 || old == current || !app.Domains.TryGet(old, out _))
        {
            return;
        }

        foreach ((Qube qube, StoredQube stored) in loaded)
        {
            if (qube is QubesVM { ProvidesNetwork: true } && stored.Property("netvm") is null)
            {
                // The one at the end of the chain had none.
                stored.Properties.Add(new(NetworkProperties.NetVM.Name, qube.Name.Value == old ? "" : old));
            }
        }
    }

    /// <summary>
    /// Old assignments say <c>required</c> instead of a mode, and carry the device id as an option. With a <c>required</c> that is neither yes nor
    /// no, the mode is none there is. Devices by their bus address are the host's to look up, once it has listed its own.
    /// </summary>
    public static DeviceAssignment Device(StoredDevice stored)
    {
        string mode = stored.Attribute("required") is { } required
            ? PropertyPayload.TryBool(required) switch { true => "required", false => "auto-attach", null => required }
            : stored.Attribute("mode") ?? "required";
        string? identity = stored.Options.FindLast(o => o.Key == "identity").Value;
        return new DeviceAssignment
        {
            DeviceClass = stored.DeviceClass,
            Backend = stored.Attribute("backend-domain") ?? "*",
            Port = stored.Attribute("id") ?? "*",
            Mode = mode,
            DeviceId = identity ?? stored.Attribute("identity") ?? "*",
            Options = [.. stored.Options.Where(o => o.Key != "identity")],
        };
    }

    /// <summary>
    /// Old stores have volumes of kernels as snapshots, though of nothing. Those of a pool that is not said yet are the ones named <c>kernel</c>.
    /// </summary>
    public static VolumeConfig Volume(QubesApp app, VolumeConfig volume)
    {
        bool isKernel = volume.Pool is null ? volume.Name == "kernel" : app.Pools.TryGet(volume.Pool, out PoolConfig? pool) && pool.Driver == "linux-kernel";
        return isKernel && volume is { SnapOnStart: true, Source: null } ? volume with { SnapOnStart = false, SourceFromTemplate = false } : volume;
    }

    private static void Rename(StoredQube stored, string old, string name, Func<string, string> convert)
    {
        if (stored.Property(old) is not { } text)
        {
            return;
        }

        stored.Properties.RemoveAll(p => p.Key == old);
        stored.Properties.Insert(0, new(name, convert(text)));
        stored.Foreign.Add("property", name, stored.Foreign["property", old]);
    }

    // An empty element is no.
    private static bool ToBool(string text) => text.Length > 0 && PropertyPayload.ToBool(text);

    // Compared as of now: the role itself is a property of stage 2. A qube that is not there is left for the property to refuse.
    private static string DisposableTemplateOrNone(QubesApp app, string text) =>
        app.Domains.TryGet(text, out Qube? qube) && qube is not IDisposableTemplate { TemplateForDispVMs: true } ? "" : text;
}
