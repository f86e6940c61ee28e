using Qubes.Model.Classes;

namespace Qubes.Extensions;

/// <summary>
/// The boot modes a qube says it has: <c>boot-mode.kernelopts.MODE</c> with <c>boot-mode.name.MODE</c> and
/// <c>boot-mode.default-user.MODE</c>; <c>boot-mode.name.default</c> names the one without options. Taken as a whole or not at all.
/// </summary>
internal static class BootModes
{
    private const string Prefix = "boot-mode.";
    private const string KernelOptions = Prefix + "kernelopts.";
    private const string Name = Prefix + "name.";
    private const string DefaultUser = Prefix + "default-user.";
    private const string Default = "default";
    private const int MaxEntries = 64;

    public static void Take(LocalQube qube, IReadOnlyDictionary<string, string> untrusted)
    {
        TakeModes(qube, untrusted);
        Select(qube, Prefix + "active", untrusted);
        Select(qube, Prefix + "standalone-default", untrusted);
        if (qube.Properties.Contains("appvm_default_bootmode"))
        {
            Select(qube, Prefix + "appvm-default", untrusted);
        }
    }

    private static void TakeModes(LocalQube qube, IReadOnlyDictionary<string, string> untrusted)
    {
        OrderedDictionary<string, string> modes = new(StringComparer.Ordinal);
        foreach ((string key, string value) in untrusted)
        {
            if (ModeIn(key, KernelOptions) is { } mode && mode != Default)
            {
                modes[key] = value;
            }
        }

        List<string> shown = [];
        foreach ((string key, string value) in untrusted)
        {
            string? mode = ModeIn(key, Name) ?? (ModeIn(key, DefaultUser) is { } other && other != Default ? other : null);
            if (mode is not null && (mode == Default || modes.ContainsKey(KernelOptions + mode)))
            {
                modes[key] = value;
                shown.Add(value);
            }
        }

        // Two modes people cannot tell apart, too many, or none at all: the old ones stay.
        if (modes.Count is 0 or > MaxEntries || shown.Distinct(StringComparer.Ordinal).Count() != shown.Count)
        {
            return;
        }

        foreach (string old in qube.Features.All.Select(f => f.Key).Where(k => IsModeFeature(k) && !modes.ContainsKey(k)).ToArray())
        {
            qube.Features.Remove(old);
        }

        foreach ((string key, string value) in modes)
        {
            qube.Features.Set(key, value);
        }
    }

    private static bool IsModeFeature(string feature) =>
        feature.StartsWith(KernelOptions, StringComparison.Ordinal) || feature.StartsWith(Name, StringComparison.Ordinal)
        || feature.StartsWith(DefaultUser, StringComparison.Ordinal);

    /// <summary>The mode's name in such a key; null if the key is another one.</summary>
    private static string? ModeIn(string untrustedKey, string prefix) =>
        untrustedKey.StartsWith(prefix, StringComparison.Ordinal) && untrustedKey[prefix.Length..] is { Length: > 0 } mode
        && !mode.Contains('.', StringComparison.Ordinal) && FeaturesRequest.IsFeatureName(untrustedKey)
            ? mode
            : null;

    private static void Select(LocalQube qube, string feature, IReadOnlyDictionary<string, string> untrusted)
    {
        if (untrusted.GetValueOrDefault(feature) is { } mode && (mode == Default || qube.Features.Contains(KernelOptions + mode)))
        {
            qube.Features.Set(feature, mode);
        }
    }
}
