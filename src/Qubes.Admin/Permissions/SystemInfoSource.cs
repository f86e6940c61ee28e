using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Policy.SystemState;

namespace Qubes.Admin.Permissions;

/// <summary>
/// The system as policy sees it, made anew only when the model has changed since. Belongs to the model loop; what it
/// gives out is immutable.
/// </summary>
public sealed class SystemInfoSource(QubesApp app)
{
    private SystemInfo? _info;
    private byte[]? _json;
    private long _version = -1;
    private PowerState[] _states = [];

    public SystemInfo Current
    {
        get
        {
            if (_info is null || !IsCurrent())
            {
                Refresh();
            }

            return _info!;
        }
    }

    /// <summary>The answer of <c>internal.GetSystemInfo</c>.</summary>
    public ReadOnlySpan<byte> CurrentJson
    {
        get
        {
            SystemInfo current = Current;
            return _json ??= SystemInfoJson.Write(current);
        }
    }

    // Power states are no changes of the model: they are compared one by one, which for a thousand qubes takes microseconds.
    private bool IsCurrent()
    {
        if (_version != app.Changes.Version || _states.Length != app.Domains.Count)
        {
            return false;
        }

        int i = 0;
        foreach (Qube qube in app.Domains)
        {
            if (_states[i++] != qube.PowerState)
            {
                return false;
            }
        }

        return true;
    }

    private void Refresh()
    {
        QubeInfo[] qubes = new QubeInfo[app.Domains.Count];
        Array.Resize(ref _states, qubes.Length);
        int i = 0;
        foreach (Qube qube in app.Domains)
        {
            _states[i] = qube.PowerState;
            qubes[i++] = Describe(qube);
        }

        _info = new SystemInfo(qubes);
        _json = null;
        _version = app.Changes.Version;
    }

    private static QubeInfo Describe(Qube qube) => new()
    {
        Name = qube.Name,
        Type = qube.Klass,
        Uuid = qube.Uuid.ToString(),
        Tags = [.. qube.Tags.All],
        Internal = qube.Features.Get("internal"),
        TemplateForDispvms = qube is IDisposableTemplate { TemplateForDispVMs: true },
        DefaultDispvm = Reference(qube, "default_dispvm"),
        Icon = qube.Label?.Icon ?? "",
        Label = qube.Label?.Color ?? "",
        Guivm = Reference(qube, "guivm"),
        Relayvm = Reference(qube, "relayvm"),
        TransportRpc = Reference(qube, "transport_rpc"),
        PowerState = qube.PowerState.ToString(),
    };

    /// <summary>The text of a property; null if the class has none or it is empty.</summary>
    private static string? Reference(Qube qube, string property) =>
        qube.Properties.TryFind(property, out Model.Properties.PropertyDefinition? definition)
        && definition.Read(qube) is { HasValue: true, Text.Length: > 0 } reading
            ? reading.Text
            : null;
}
