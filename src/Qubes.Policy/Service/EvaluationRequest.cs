using System.Diagnostics.CodeAnalysis;
using System.Text;
using Qubes.Policy.Text;

namespace Qubes.Policy.Service;

/// <summary>
/// A call of <c>policy.EvalSimple</c> or <c>policy.EvalGUI</c>: "would this call be let through?"
/// <code>
/// SERVICE+EVALUATED[+ARG] SP CALLER [SP ...] NUL      the service descriptor, at most 64 KiB
/// SOURCE NUL TARGET EOF                               1..31 and 1..63 characters of A-Z a-z 0-9 @ _ . -
/// </code>
/// </summary>
/// <param name="Caller">The qube that asks.</param>
/// <param name="Service">The service asked about, with its argument.</param>
/// <param name="Source">Who would call.</param>
/// <param name="Target">Whom.</param>
public sealed record EvaluationRequest(string Caller, string Service, string Source, string Target)
{
    /// <summary>Longest descriptor.</summary>
    public const int MaxDescriptor = 64 * 1024;

    /// <summary>Longest payload that is looked at; a valid one is shorter.</summary>
    public const int MaxPayload = 96;

    private const int MaxSource = 31;
    private const int MaxTarget = 63;

    /// <summary>Reads a whole call made to <paramref name="service"/>.</summary>
    public static bool TryParse(
        string service, ReadOnlySpan<byte> untrustedCall, [NotNullWhen(true)] out EvaluationRequest? request)
    {
        request = null;
        int end = untrustedCall.IndexOf((byte)0);
        if (end < 0 || end > MaxDescriptor || !Ascii.IsValid(untrustedCall[..end]))
        {
            return false;
        }

        string[] descriptor = Encoding.ASCII.GetString(untrustedCall[..end]).Split(' ', 3);
        int plus = descriptor[0].IndexOf('+', StringComparison.Ordinal);
        if (descriptor.Length < 2 || plus < 0 || descriptor[0][..plus] != service)
        {
            return false;
        }

        string evaluated = descriptor[0][(plus + 1)..];
        ReadOnlySpan<byte> payload = untrustedCall[(end + 1)..];
        int between = payload.IndexOf((byte)0);
        if (evaluated.Length == 0 || evaluated[0] == '+' || between < 0
            || !TryName(payload[..between], MaxSource, out string? source)
            || !TryName(payload[(between + 1)..], MaxTarget, out string? target))
        {
            return false;
        }

        request = new EvaluationRequest(descriptor[1], evaluated, source, target);
        return true;
    }

    private static bool TryName(ReadOnlySpan<byte> bytes, int max, [NotNullWhen(true)] out string? name)
    {
        name = bytes.Length >= 1 && bytes.Length <= max ? Encoding.Latin1.GetString(bytes) : null;
        return name is not null && !name.AsSpan().ContainsAnyExcept(NameCharacters.EvaluatedName);
    }
}
