namespace Qubes.Policy.Loading;

/// <summary>Bounds on what a policy may consist of; reaching one is an error of the policy, so everything is denied.</summary>
public sealed record PolicyLimits
{
    /// <summary>Far above any real policy, low enough that loading always ends within a second or two.</summary>
    public static PolicyLimits Default { get; } = new();

    /// <summary>Bytes of one file.</summary>
    public int FileBytes { get; init; } = 1 << 20;

    /// <summary>Bytes of all files.</summary>
    public int TotalBytes { get; init; } = 16 << 20;

    /// <summary>Files including files including files…</summary>
    public int IncludeDepth { get; init; } = 32;

    /// <summary>How often files are included, one file several times counted each time.</summary>
    public int Includes { get; init; } = 20_000;

    /// <summary>Rules, those of a file included several times counted each time.</summary>
    public int Rules { get; init; } = 100_000;

    /// <summary>Errors kept; further ones are only counted.</summary>
    public int Diagnostics { get; init; } = 1_000;
}
