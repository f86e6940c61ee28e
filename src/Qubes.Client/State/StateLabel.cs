namespace Qubes.Client.State;

/// <summary>A label.</summary>
/// <param name="Index">Its number; 1 to 8 are built in.</param>
/// <param name="Color"><c>0xRRGGBB</c>.</param>
public sealed record StateLabel(int Index, string Color);
