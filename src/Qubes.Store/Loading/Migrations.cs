using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Network;
using Qubes.Protocol.Properties;
using Qubes.Store.Format;

namespace Qubes.Store.Loading;

/// <summary>What older files say in other words.</summary>
internal static class Migrations
{
    public const string OldGray = "0x555753";
    public const string Gray = "0x555555";

    /// <summary>A global property that is gone: the netvm of qubes that provide network.</summary>
    public const string OldFirewallNetVM = "default_fw_netvm";

    /// <summary>Renamed properties: <c>hvm</c> is <c>virt_mode</c>, on AppVMs <c>dispvm_allowed</c> is <c>template_for_dispvms</c>.</summary>
    public static string PropertyName(QubeClass qubeClass, string name) => name switch
    {
        "hvm" when qubeClass.Properties.Contains("virt_mode") => "virt_mode",
        "dispvm_allowed" when qubeClass == QubeClasses.AppVM => "template_for_dispvms",
        _ => name,
    };

    /// <summary>The value in today's terms, given the name as it was stored.</summary>
    public static string PropertyText(Qube qube, string storedName, string text) => storedName switch
    {
        "hvm" => PropertyPayload.TryBool(text) == true ? "hvm" : "pv",
        "default_dispvm" or "management_dispvm" => DisposableTemplateOrNone(qube.App, text),
        _ => text,
    };

    /// <summary>The value of a global property in today's terms.</summary>
    public static string GlobalText(QubesApp app, string name, string text) =>
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
            if (qube is QubesVM { ProvidesNetwork: true } && qube.Name.Value != old && stored.Property("netvm") is null)
            {
                stored.Properties.Add(new(NetworkProperties.NetVM.Name, old));
            }
        }
    }

    /// <summary>
    /// Old assignments say <c>required</c> instead of a mode, and carry the device id as an option.
    /// </summary>
    public static DeviceAssignment Device(StoredDevice stored)
    {
        string mode = stored.Attribute("required") is { Length: > 0 } required && PropertyPayload.TryBool(required) is { } isRequired
            ? isRequired ? "required" : "auto-attach"
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

    // Compared as of now: the role itself is a property of stage 2. A qube that is not there is left for the property to refuse.
    private static string DisposableTemplateOrNone(QubesApp app, string text) =>
        app.Domains.TryGet(text, out Qube? qube) && qube is not IDisposableTemplate { TemplateForDispVMs: true } ? "" : text;
}
