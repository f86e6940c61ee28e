using System.Globalization;

namespace Qubes.Libvirt;

/// <summary>
/// A call did not end by its deadline. If it was under way it may still take effect later; if it only waited behind a hung
/// one it never will.
/// </summary>
/// <param name="hung">The call that overran: the caller's own, or the one it waited behind (null: the lane was just busy).</param>
public sealed class LaneTimeoutException(string lane, string call, bool wasUnderWay, HungCall? hung)
    : TimeoutException(Describe(lane, call, wasUnderWay, hung))
{
    public string Lane { get; } = lane;

    public string Call { get; } = call;

    /// <summary>True when the call had begun: its effect is unknown.</summary>
    public bool WasUnderWay { get; } = wasUnderWay;

    public HungCall? Hung { get; } = hung;

    private static string Describe(string lane, string call, bool wasUnderWay, HungCall? hung)
    {
        if (wasUnderWay)
            return $"The hypervisor does not answer: '{call}' for '{lane}' is overdue";
        return hung is null
            ? $"The hypervisor is busy: '{call}' for '{lane}' was not begun in time"
            : string.Create(CultureInfo.InvariantCulture,
                $"The hypervisor does not answer: '{call}' for '{lane}' waited behind '{hung.Call}', which hangs since {hung.Since:HH:mm:ss} UTC");
    }
}
