using System.Globalization;
using System.Text;

namespace Qvm.Tools.Running;

/// <summary>
/// How a command's words become the argument of <c>qubes.VMExec</c>: bytes outside <c>a-z A-Z 0-9 _ .</c> as <c>-XX</c>,
/// the dash itself as <c>--</c>, words joined by <c>+</c>.
/// </summary>
internal static class VmExecEncoding
{
    public static string Encode(IEnumerable<string> words) => string.Join('+', words.Select(Encode));

    private static string Encode(string word)
    {
        StringBuilder text = new();
        foreach (byte b in Encoding.UTF8.GetBytes(word))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'_' or (byte)'.')
            {
                text.Append((char)b);
            }
            else if (b == '-')
            {
                text.Append("--");
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"-{b:X2}");
            }
        }

        return text.ToString();
    }
}
