using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions;

/// <summary>
/// Features <c>vm-config.NAME</c> are published inside the qube as <c>/vm-config/NAME</c>: the name must fit a key. Checked before the
/// feature is stored.
/// </summary>
internal static class VMConfigExtension
{
    private const string Prefix = "vm-config.";
    private const int MaxNameLength = 52;

    public static void Register(QubesApp app, DurableEvents durable)
    {
        app.Events.On(EmitterClass.LocalVM, "domain-feature-pre-set:vm-config.*", BeforeSet);
        new FeatureKeys(Prefix, Write, static (qube, name) => qube.QubesDb.Remove(PathOf(name))).Register(app, durable);
    }

    private static string PathOf(string name) => "/vm-config/" + name;

    // A store of another version may hold names that fit no key: those are left out.
    private static void Write(LocalQube qube, string name, string value)
    {
        if (Objection(name) is null)
        {
            qube.QubesDb.Write(PathOf(name), value);
        }
    }

    private static void BeforeSet(QubesEvent qubesEvent)
    {
        if (Objection(qubesEvent.Detail[Prefix.Length..]) is { } objection)
        {
            throw QubesErrors.Value(objection);
        }
    }

    private static string? Objection(ReadOnlySpan<char> name) =>
        name.Length > MaxNameLength ? "VM config name must not exceed 52 bytes"
        : name.IsEmpty ? "Empty config name not allowed"
        : !char.IsAsciiLetter(name[0]) ? "Config name must start with an ASCII letter"
        : null;
}
