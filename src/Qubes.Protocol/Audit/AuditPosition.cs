namespace Qubes.Protocol.Audit;

/// <summary>A place in the chain of records.</summary>
/// <param name="Sequence">The number of the record; 0 before the first.</param>
/// <param name="Hash">Its hash; zeros before the first.</param>
public sealed record AuditPosition(long Sequence, IReadOnlyList<byte> Hash)
{
    /// <summary>Before the first record.</summary>
    public static AuditPosition Beginning { get; } = new(0, new byte[AuditFormat.HashLength]);

    /// <summary><c>SEQ HEX</c></summary>
    public override string ToString() => FormattableString.Invariant($"{Sequence} {Convert.ToHexStringLower([.. Hash])}");

    /// <summary>Reads <c>SEQ HEX</c> or <c>SEQ:HEX</c>; null if it is neither.</summary>
    public static AuditPosition? Parse(string untrustedText)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        string[] parts = untrustedText.Trim().Split([' ', ':']);
        return parts.Length == 2 && parts[1].Length == 2 * AuditFormat.HashLength && parts[1].All(char.IsAsciiHexDigit)
            && long.TryParse(parts[0], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long sequence)
            ? new AuditPosition(sequence, Convert.FromHexString(parts[1]))
            : null;
    }
}
