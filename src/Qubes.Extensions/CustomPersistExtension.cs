using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions;

/// <summary>
/// Features <c>custom-persist.KEY</c> name what a qube keeps: an absolute path, or
/// <c>(file|dir):OWNER:GROUP:MODE:ABSOLUTE-PATH</c> (the path may contain colons). Checked before the feature is stored; the qube finds
/// them below <c>/persist/</c>.
/// </summary>
internal static class CustomPersistExtension
{
    private const string Prefix = "custom-persist.";
    private const int MaxKeyLength = 54;

    public static void Register(QubesApp app, DurableEvents durable)
    {
        app.Events.On(EmitterClass.LocalVM, "domain-feature-pre-set:custom-persist.*", BeforeSet);
        new FeatureKeys(Prefix, Write, static (qube, key) => qube.QubesDb.Remove(PathOf(key))).Register(app, durable);
    }

    private static string PathOf(string key) => "/persist/" + key;

    // What a start meets was checked when it was set, or comes from a store of another version: a bad one fails the start.
    private static void Write(LocalQube qube, string key, string value)
    {
        Check(key.Length, value);
        qube.QubesDb.Write(PathOf(key), value);
    }

    private static void BeforeSet(QubesEvent qubesEvent) =>
        Check(qubesEvent.Detail.Length - Prefix.Length, (string)qubesEvent.Arguments["value"]!);

    private static void Check(int keyLength, string value)
    {
        if (keyLength is 0 or > MaxKeyLength)
        {
            throw QubesErrors.Value("custom-persist key must have 1 to 54 characters");
        }

        if (!IsValid(value))
        {
            throw QubesErrors.Value("custom-persist value must be an absolute path or TYPE:OWNER:GROUP:MODE:PATH");
        }
    }

    private static bool IsValid(string value)
    {
        if (value.StartsWith('/'))
        {
            return true;
        }

        string[] parts = value.Split(':', 5);
        return parts.Length == 5
            && parts[0] is "file" or "dir"
            && parts[1].Length > 0
            && parts[2].Length > 0
            && parts[3].Length is > 0 and <= 4 && !parts[3].AsSpan().ContainsAnyExceptInRange('0', '7')
            && parts[4].StartsWith('/');
    }
}
