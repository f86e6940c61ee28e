using System.Text;

namespace Qubes.Protocol.Qrexec;

/// <summary>
/// A parsed command string. Text properties are byte strings: each character stands for one byte (Latin-1), so that
/// what is executed is what was sent; <see cref="ToBytes"/> turns them back.
/// </summary>
// [USER ":"] ["nogui:"] ( "QUBESRPC " DESCRIPTOR " " SOURCE [" " TYPE " " TARGET] | SHELL-COMMAND )
public sealed class QrexecCommand
{
    private const string NoGuiPrefix = "nogui:";
    private const string RpcPrefix = "QUBESRPC";

    private QrexecCommand(string? user, bool noGui, string text, QrexecServiceCall? service)
    {
        User = user;
        NoGui = noGui;
        Text = text;
        Service = service;
    }

    /// <summary>The user to run as; null where commands carry none (dom0, fork server). May be empty.</summary>
    public string? User { get; }

    /// <summary>Whether the caller asked not to wait for a graphical session.</summary>
    public bool NoGui { get; }

    /// <summary>What is left after user and <c>nogui:</c>: the shell command, or the whole <c>QUBESRPC …</c> text.</summary>
    public string Text { get; }

    /// <summary>The service call, or null for a shell command.</summary>
    public QrexecServiceCall? Service { get; }

    /// <summary>Parses; null for an unusable command (exit status 125 for its caller).</summary>
    /// <param name="command">The command without NUL.</param>
    /// <param name="hasUser">Whether everything before the first colon is a user.</param>
    public static QrexecCommand? Parse(ReadOnlySpan<byte> command, bool hasUser)
    {
        string text = Encoding.Latin1.GetString(command);
        string? user = null;
        if (hasUser)
        {
            int colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
            {
                return null;
            }

            user = text[..colon];
            text = text[(colon + 1)..];
        }

        bool noGui = text.StartsWith(NoGuiPrefix, StringComparison.Ordinal);
        if (noGui)
        {
            text = text[NoGuiPrefix.Length..];
        }

        if (!text.StartsWith(RpcPrefix, StringComparison.Ordinal))
        {
            return new(user, noGui, text, null);
        }

        if (text.Length == RpcPrefix.Length || text[RpcPrefix.Length] != ' ')
        {
            return null;
        }

        QrexecServiceCall? service = QrexecServiceCall.Parse(text[(RpcPrefix.Length + 1)..]);
        return service is null ? null : new(user, noGui, text, service);
    }

    /// <summary>
    /// Replaces the leading <c>DEFAULT</c> of a command that begins exactly with <c>DEFAULT:</c> by <paramref name="defaultUser"/>.
    /// </summary>
    public static ReadOnlyMemory<byte> SubstituteDefaultUser(ReadOnlyMemory<byte> command, string defaultUser)
    {
        ReadOnlySpan<byte> prefix = "DEFAULT:"u8;
        if (!command.Span.StartsWith(prefix))
        {
            return command;
        }

        return (byte[])[.. Encoding.Latin1.GetBytes(defaultUser), .. command.Span[(prefix.Length - 1)..]];
    }

    /// <summary>Bytes of a byte string.</summary>
    public static byte[] ToBytes(string byteString) => Encoding.Latin1.GetBytes(byteString);
}
