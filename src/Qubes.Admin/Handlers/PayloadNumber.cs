using System.Globalization;
using System.Text;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Handlers;

/// <summary>Numbers in payloads: decimal digits without blanks or leading zeros.</summary>
internal static class PayloadNumber
{
    private const int MostDigits = 19;

    // 1*19DIGIT, and with allowNegative a '-' before it; '0' is the only number that begins with a zero

    /// <param name="untrustedPayload">The whole payload.</param>
    /// <param name="what">What the number is, for the error; begins a sentence.</param>
    /// <param name="allowNegative">A minus sign may stand before it.</param>
    public static long Parse(ReadOnlySpan<byte> untrustedPayload, string what, bool allowNegative = false)
    {
        bool isNegative = allowNegative && untrustedPayload is [(byte)'-', ..];
        ReadOnlySpan<byte> digits = isNegative ? untrustedPayload[1..] : untrustedPayload;
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            throw QubesErrors.Protocol($"{what} contains non ASCII digits");
        }

        if (digits.Length > MostDigits)
        {
            throw QubesErrors.Protocol($"{what} is bigger than 19 decimal digits");
        }

        if (digits[0] == '0' && digits.Length > 1)
        {
            throw QubesErrors.Protocol($"{what} contains spurious leading zeros");
        }

        return long.TryParse(Encoding.ASCII.GetString(digits), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? isNegative ? -number : number
            : throw QubesErrors.Protocol($"{what} is bigger than 19 decimal digits");
    }
}
