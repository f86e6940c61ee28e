using System.Globalization;
using System.Text;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Handlers;

/// <summary>Numbers in payloads: decimal digits without blanks or leading zeros.</summary>
internal static class PayloadNumber
{
    private const int MostDigits = 19;

    /// <param name="untrustedPayload">The whole payload.</param>
    /// <param name="what">What the number is, for the error; begins a sentence.</param>
    public static long Parse(ReadOnlySpan<byte> untrustedPayload, string what)
    {
        if (untrustedPayload.IsEmpty || untrustedPayload.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            throw QubesErrors.Protocol($"{what} contains non ASCII digits");
        }

        if (untrustedPayload.Length > MostDigits)
        {
            throw QubesErrors.Protocol($"{what} is bigger than 19 decimal digits");
        }

        if (untrustedPayload[0] == '0' && untrustedPayload.Length > 1)
        {
            throw QubesErrors.Protocol($"{what} contains spurious leading zeros");
        }

        return long.TryParse(Encoding.ASCII.GetString(untrustedPayload), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw QubesErrors.Protocol($"{what} is bigger than 19 decimal digits");
    }
}
