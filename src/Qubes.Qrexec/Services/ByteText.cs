using System.Text;
using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Services;

/// <summary>
/// Turns the byte strings of commands (one character a byte) into text for paths, arguments and variables, which leave this
/// process as UTF-8. Bytes that are no UTF-8 cannot be passed on unchanged and make the call fail instead.
/// </summary>
internal static class ByteText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="ServiceException">The bytes are not UTF-8.</exception>
    public static string Decode(string byteString)
    {
        if (Ascii.IsValid(byteString))
        {
            return byteString;
        }

        try
        {
            return Strict.GetString(QrexecCommand.ToBytes(byteString));
        }
        catch (DecoderFallbackException e)
        {
            throw ServiceException.Problem("a command that is not UTF-8", e);
        }
    }
}
