using Qubes.Model.Events;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>About which events an extension can be asked, so that the daemon waits for its answer.</summary>
internal static class CallableEvents
{
    public const string PermissionPrefix = "admin-permission:";

    private const int MaxPatternLength = 128;

    public static bool IsPermission(string pattern) => pattern.StartsWith(PermissionPrefix, StringComparison.Ordinal);

    /// <summary>Null, or why nobody can be asked about events of this name.</summary>
    public static string? Check(string untrustedPattern)
    {
        if (CheckForm(untrustedPattern) is { } malformed)
        {
            return malformed;
        }

        return IsPermission(untrustedPattern) || EventHandlers.IsAsynchronous(untrustedPattern)
            ? null
            : "the daemon does not wait at this event: it can be asked about permission events and asynchronous events, whose name before "
                + "the colon is written out";
    }

    /// <summary>Null, or why this is no pattern of event names.</summary>
    public static string? CheckForm(string untrustedPattern) =>
        untrustedPattern.Length is 0 or > MaxPatternLength || untrustedPattern.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? "an event's name is 1 to 128 printable ASCII characters"
            : null;
}
