using System.Text;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;

namespace Qubes.Admin.Handlers;

/// <summary>Short texts in payloads.</summary>
internal static class PayloadText
{
    /// <summary>The ASCII text without blanks and line ends around it.</summary>
    public static string Strip(byte[] untrustedPayload, string unlessAscii) => Ascii.IsValid(untrustedPayload)
        ? Encoding.ASCII.GetString(untrustedPayload).Trim([' ', '\t', '\n', '\r', '\v', '\f'])
        : throw QubesErrors.Protocol(unlessAscii);

    /// <summary><c>0 no false off</c> or <c>1 yes true on</c> in any case, nothing around it.</summary>
    public static bool ToBool(byte[] untrustedPayload)
    {
        try
        {
            return PropertyPayload.ToBool(PropertyPayload.ToAscii(untrustedPayload));
        }
        catch (QubesException refused) when (refused.Is(QubesErrorNames.Value))
        {
            throw QubesErrors.Protocol("Payload is not boolean ASCII");
        }
    }
}
