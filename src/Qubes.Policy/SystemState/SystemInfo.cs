using System.Collections.Immutable;

namespace Qubes.Policy.SystemState;

/// <summary>The system as policy sees it at one moment. Immutable, so one may be kept and shared until something changes.</summary>
public sealed class SystemInfo
{
    private readonly Dictionary<string, QubeInfo> _byKey;

    /// <summary>Of two qubes with one name or uuid the first counts.</summary>
    public SystemInfo(IEnumerable<QubeInfo> qubes)
    {
        Qubes = [.. qubes];
        _byKey = new Dictionary<string, QubeInfo>(2 * Qubes.Length, StringComparer.Ordinal);
        foreach (QubeInfo qube in Qubes)
        {
            _byKey.TryAdd(qube.Name, qube);
            if (qube.Uuid.Length > 0)
            {
                _byKey.TryAdd("uuid:" + qube.Uuid, qube);
            }
        }
    }

    /// <summary>All qubes, dom0 and remote ones included.</summary>
    public ImmutableArray<QubeInfo> Qubes { get; }

    /// <summary>The qube called <paramref name="name"/>, or with this uuid if it is <c>uuid:…</c>; null if there is none.</summary>
    public QubeInfo? Find(string name) => _byKey.GetValueOrDefault(name);

    /// <summary>Template of the disposable that <paramref name="source"/> gets when it names none; null if it has none.</summary>
    public string? DefaultDispvmOf(string source) => Find(source)?.DefaultDispvm;

    /// <summary>
    /// Whether two texts name the same qube: they are equal, or exactly one is a uuid and it is that of the qube the other names.
    /// </summary>
    public bool IsSameName(string one, string other)
    {
        if (one == other)
        {
            return true;
        }

        bool oneIsUuid = IsUuid(one);
        return oneIsUuid != IsUuid(other)
            && (oneIsUuid ? HasUuid(other, one) : HasUuid(one, other));
    }

    private static bool IsUuid(string name) => name.StartsWith("uuid:", StringComparison.Ordinal);

    private bool HasUuid(string name, string uuid) =>
        Find(name) is { Uuid.Length: > 0 } qube && uuid.AsSpan(5).SequenceEqual(qube.Uuid);
}
