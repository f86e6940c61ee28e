using Microsoft.Extensions.Logging;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Features;

namespace Qubes.Extensions;

/// <summary>What a qube tells of itself: the event <c>features-request</c>. Values have passed the API's character set; names have not.</summary>
internal static class FeaturesRequest
{
    private const int MaxAdvertised = 512;

    /// <summary>What the qube asks for, by name.</summary>
    public static IReadOnlyDictionary<string, string> UntrustedFeatures(QubesEvent request) =>
        (IReadOnlyDictionary<string, string>)request.Arguments["untrusted_features"]!;

    /// <summary>A qube with a template has nothing to say of what its template is made of.</summary>
    public static bool IsForTemplateOrStandalone(LocalQube qube, ILogger log)
    {
        if (qube.Template is null)
        {
            return true;
        }

        log.LogWarning("Ignoring the features request of {Qube}, which is based on a template", qube.Name);
        return false;
    }

    /// <summary>
    /// Takes the request's features of one prefix as all there are of it: sets the new ones, removes those no longer mentioned. A
    /// request that has none of the prefix changes nothing.
    /// </summary>
    /// <param name="changed">Told of each: the feature, and whether it is new or gone.</param>
    public static void Advertise(QubesEvent request, string prefix, Action<string, bool>? changed = null)
    {
        QubeFeatures features = ((Qube)request.Subject).Features;
        SortedSet<string> wanted = new(StringComparer.Ordinal);
        foreach ((string name, string value) in UntrustedFeatures(request))
        {
            if (value == "1" && name.StartsWith(prefix, StringComparison.Ordinal) && IsFeatureName(name) && wanted.Count < MaxAdvertised)
            {
                wanted.Add(name);
            }
        }

        if (wanted.Count == 0)
        {
            return;
        }

        string[] present = [.. features.All.Where(f => f.Key.StartsWith(prefix, StringComparison.Ordinal) && f.Value.Length > 0).Select(f => f.Key)];
        foreach (string name in wanted.Except(present, StringComparer.Ordinal).ToArray())
        {
            features.Set(name, value: true);
            changed?.Invoke(name, true);
        }

        foreach (string name in present.Where(name => !wanted.Contains(name)))
        {
            features.Remove(name);
            changed?.Invoke(name, false);
        }
    }

    /// <summary>The rules for names that enter by the Admin API hold for those that enter by a qube's database, too.</summary>
    public static bool IsFeatureName(string untrustedName) => Qubes.Protocol.Names.FeatureName.TryParse(untrustedName, out _);
}
