namespace Qubes.Protocol.QubesDb;

/// <summary>One entry of a database.</summary>
/// <param name="Path">A valid path.</param>
/// <param name="Value">At most <see cref="MaxValueLength"/> bytes, none of them zero.</param>
public readonly record struct QubesDbEntry(string Path, byte[] Value)
{
    /// <summary>In bytes.</summary>
    public const int MaxValueLength = 3071;
}
