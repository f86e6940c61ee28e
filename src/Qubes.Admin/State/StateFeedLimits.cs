namespace Qubes.Admin.State;

/// <summary>What following the state may take.</summary>
public sealed record StateFeedLimits
{
    /// <summary>Changes kept for callers who come back.</summary>
    public int KeptChanges { get; init; } = 8192;

    /// <summary>Bytes of those.</summary>
    public int KeptBytes { get; init; } = 2 << 20;

    /// <summary>Most bytes of old changes a caller is sent when it comes back; with more it has to get the state again, which is less.</summary>
    public int CatchUpBytes { get; init; } = 512 << 10;

    /// <summary>
    /// How old the last look at everything may be when somebody comes: values that are made of more than the model, such as the default
    /// options in a kernel's directory, are found changed then.
    /// </summary>
    public TimeSpan FullLook { get; init; } = TimeSpan.FromMinutes(1);
}
