using System.Globalization;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// Places where a test can make this process die as in a power cut: with <c>QUBES_FAULT_POINT=NAME</c> (or
/// <c>NAME:N</c> for its N-th hit; the name <c>*</c> counts every point) in the environment at start, the process kills itself with SIGKILL there.
/// Without the variable a hit costs one test of a static field.
/// </summary>
public static class FaultPoint
{
    public const string Variable = "QUBES_FAULT_POINT";

    private const int SIGKILL = 9;
    private static readonly string? Armed = ParseName(Environment.GetEnvironmentVariable(Variable));
    private static readonly int ArmedHit = ParseHit(Environment.GetEnvironmentVariable(Variable));
    private static int _hits;

    public static void Hit(string name)
    {
        if (Armed is null || (Armed != "*" && !string.Equals(Armed, name, StringComparison.Ordinal)))
            return;
        if (Interlocked.Increment(ref _hits) == ArmedHit)
            _ = ProcessCalls.Kill(ProcessCalls.GetPid(), SIGKILL);
    }

    // Names may hold colons themselves: only a number after the last one is a count.
    private static string? ParseName(string? value) =>
        string.IsNullOrEmpty(value) ? null : CountAt(value, out _) is >= 0 and var colon ? value[..colon] : value;

    private static int ParseHit(string? value) => value is not null && CountAt(value, out var hit) >= 0 ? hit : 1;

    private static int CountAt(string value, out int hit)
    {
        var colon = value.LastIndexOf(':');
        hit = 1;
        return colon >= 0 && int.TryParse(value.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out hit) ? colon : -1;
    }
}
