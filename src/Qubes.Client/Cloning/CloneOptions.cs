namespace Qubes.Client.Cloning;

/// <summary>How a qube is cloned.</summary>
public sealed record CloneOptions
{
    /// <summary>The class of the clone; null for the source's.</summary>
    public string? ClassName { get; init; }

    /// <summary>The label of the clone; null for the source's.</summary>
    public string? Label { get; init; }

    /// <summary>The pool for all its volumes; null for others.</summary>
    public string? Pool { get; init; }

    /// <summary>Pools by volume. Without any pool the clone's volumes go to the default pools.</summary>
    public IReadOnlyDictionary<string, string> VolumePools { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Volumes whose content is not copied.</summary>
    public IReadOnlyCollection<string> SkippedVolumes { get; init; } = [];

    /// <summary>Go on after a setting that could not be copied. Volumes are always copied, or the clone is removed.</summary>
    public bool IgnoreErrors { get; init; }

    /// <summary>Told what is done and what failed, for people.</summary>
    public Action<string>? Report { get; init; }
}
