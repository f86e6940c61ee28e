namespace Qvm.Tools.Listing;

/// <summary>Size and usage of a volume in bytes, and its pool.</summary>
internal sealed record VolumeFigures(string Pool, long Size, long Usage);
