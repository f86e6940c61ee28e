using System.Text;

namespace Qubes.Daemon.Tests;

/// <summary>A complete answer of the daemon: <c>0\0CONTENT</c>, or <c>2\0TYPE\0TRACE\0FORMAT\0ARGUMENT\0…</c>.</summary>
internal sealed record AdminAnswer(bool IsSuccess, string Content, string ErrorType)
{
    /// <summary>Null when it is no complete answer.</summary>
    public static AdminAnswer? TryParse(byte[] bytes)
    {
        string text = Encoding.UTF8.GetString(bytes);
        if (text.StartsWith("0\0", StringComparison.Ordinal))
        {
            return new AdminAnswer(true, text[2..], "");
        }

        string[] fields = text.Split('\0');
        return text.StartsWith("2\0", StringComparison.Ordinal) && fields.Length >= 4
            ? new AdminAnswer(false, string.Join(' ', fields[3..]).Trim(), fields[1])
            : null;
    }
}
