using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Qubes.Linux;

/// <summary>What the kernel says of one of its objects. Layout (Documentation/ABI, kobject_uevent):
/// <code>
/// ACTION '@' DEVPATH NUL { KEY '=' VALUE NUL }
/// </code>
/// </summary>
/// <param name="Action"><c>add</c>, <c>remove</c>, <c>change</c>, …</param>
/// <param name="DevicePath">Below <c>/sys</c>, begins with a slash.</param>
/// <param name="Subsystem"><c>block</c>, <c>usb</c>, …; empty if none is told.</param>
public sealed record KernelEvent(string Action, string DevicePath, string Subsystem)
{
    private const int MostBytes = 16 * 1024;

    /// <summary>Reads a message. Who sends it is not known for sure, so its texts are only what to look at.</summary>
    public static bool TryParse(ReadOnlySpan<byte> untrustedMessage, [NotNullWhen(true)] out KernelEvent? happened)
    {
        happened = null;
        var end = untrustedMessage.IndexOf((byte)0);
        if (end < 0 || untrustedMessage.Length > MostBytes || !Ascii.IsValid(untrustedMessage[..end]))
            return false;
        var head = Encoding.ASCII.GetString(untrustedMessage[..end]);
        var at = head.IndexOf('@', StringComparison.Ordinal);
        if (at <= 0 || at + 1 >= head.Length || head[at + 1] != '/')
            return false;

        var subsystem = "";
        var rest = untrustedMessage[(end + 1)..];
        while (rest.Length > 0)
        {
            var next = rest.IndexOf((byte)0);
            var pair = next < 0 ? rest : rest[..next];
            if (pair.StartsWith("SUBSYSTEM="u8))
                subsystem = Encoding.Latin1.GetString(pair["SUBSYSTEM="u8.Length..]);
            rest = next < 0 ? [] : rest[(next + 1)..];
        }

        happened = new KernelEvent(head[..at], head[(at + 1)..], subsystem);
        return true;
    }
}
