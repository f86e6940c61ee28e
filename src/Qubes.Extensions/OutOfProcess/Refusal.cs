using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>An extension's "no" as the error its caller gets.</summary>
internal static class Refusal
{
    public const int MaxTextLength = 1024;

    private const int MaxTypeLength = 64;

    /// <summary>The name of an exception class, as clients know them; without one, the kind's own.</summary>
    public static string TypeOf(string? untrustedType, string eventName) => TypeOr(
        untrustedType, CallableEvents.IsPermission(eventName) ? QubesErrorNames.PermissionDenied : QubesErrorNames.QubesException);

    /// <summary>The name of an exception class, as clients know them; without one, another.</summary>
    public static string TypeOr(string? untrustedType, string fallback)
    {
        if (untrustedType is null)
        {
            return fallback;
        }

        return untrustedType.Length is > 0 and <= MaxTypeLength && untrustedType.All(char.IsAsciiLetterOrDigit)
            ? untrustedType
            : throw RpcException.InvalidParams("'type' must be the name of an exception class");
    }

    /// <summary>One line that people can read.</summary>
    public static string Text(string untrustedText)
    {
        string text = untrustedText.Length <= MaxTextLength ? untrustedText : untrustedText[..MaxTextLength];
        return string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
    }

    public static QubesException Of(string type, string text) => type switch
    {
        QubesErrorNames.PermissionDenied => QubesErrors.PermissionDenied(text),
        QubesErrorNames.ProtocolError => QubesErrors.Protocol(text),
        _ => new QubesException(type, text),
    };
}
