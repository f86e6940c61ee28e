using System.Security.Cryptography;
using System.Text;

namespace Qubes.Policy.Administration;

/// <summary>
/// Names a content, so that a caller changes only what it has read: <c>sha256:HEX</c>. In a call also <c>new</c>, for a file that must not be
/// there, and <c>any</c>, for whatever is there.
/// </summary>
internal static class FileToken
{
    private const string Hash = "sha256:";

    public static string Of(ReadOnlySpan<byte> content) => Hash + Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>Refuses a token that does not fit <paramref name="content"/>, which is null where there is no file.</summary>
    public static void Check(ReadOnlySpan<byte> untrustedToken, byte[]? content)
    {
        if (untrustedToken.SequenceEqual("any"u8))
        {
            return;
        }

        if (untrustedToken.SequenceEqual("new"u8))
        {
            if (content is not null)
            {
                throw PolicyAdministrationException.Token("File exists but token is 'new'");
            }
        }
        else if (!untrustedToken.StartsWith("sha256:"u8))
        {
            throw PolicyAdministrationException.Protocol("Unrecognized token");
        }
        else if (content is null)
        {
            throw PolicyAdministrationException.Token("File doesn't exist, but token isn't 'new'");
        }
        else if (!untrustedToken.SequenceEqual(Encoding.ASCII.GetBytes(Of(content))))
        {
            throw PolicyAdministrationException.Token("Token mismatch");
        }
    }
}
