using System.Globalization;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Limits;

/// <summary>
/// The features of a caller that set its limits: whole numbers, or <c>unlimited</c>. Only dom0 may change them; a disposable has those of
/// its template.
/// </summary>
public static class LimitFeatures
{
    /// <summary>Points a caller gets back per second.</summary>
    public const string Rate = "limit-calls-rate";

    /// <summary>Points a caller can save up.</summary>
    public const string Burst = "limit-calls-burst";

    /// <summary>Calls of one caller at a time.</summary>
    public const string Parallel = "limit-calls-parallel";

    /// <summary>Event streams of one caller at a time.</summary>
    public const string Streams = "limit-streams";

    /// <summary>Disposables that one caller made and that still exist.</summary>
    public const string Disposables = "limit-disposables";

    private const string Prefix = "limit-";
    private const string Unlimited = "unlimited";
    private const int Highest = 1_000_000;
    private static readonly string[] All = [Rate, Burst, Parallel, Streams, Disposables];

    /// <summary>Attaches the rules on who may change them, and to what.</summary>
    public static void Register(EventHandlers events)
    {
        ArgumentNullException.ThrowIfNull(events);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.vm.feature.Set", RefuseOthers);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.vm.feature.Remove", RefuseOthers);
        foreach (string feature in All)
        {
            events.On(EmitterClass.BaseVM, "domain-feature-pre-set:" + feature, Validate);
        }
    }

    /// <summary>The limits of a qube: what its features say, else the defaults, which for dom0 are none.</summary>
    internal static CallerLimits Of(Qube caller)
    {
        CallerLimits defaults = caller is AdminVM ? CallerLimits.None : CallerLimits.Default;
        return new CallerLimits(
            Read(caller, Rate, defaults.Rate),
            Read(caller, Burst, defaults.Burst),
            Read(caller, Parallel, defaults.Parallel),
            Read(caller, Streams, defaults.Streams),
            Read(caller, Disposables, defaults.Disposables));
    }

    // A value from a time when it was not checked counts as absent.
    private static int Read(Qube caller, string feature, int otherwise) =>
        caller.Features.Get(feature) is { } text && TryParse(feature, text, out int value) ? value : otherwise;

    // Without points nothing could ever be called, and a rate of none would never give one back.
    private static bool TryParse(string feature, string text, out int value)
    {
        if (text == Unlimited)
        {
            value = int.MaxValue;
            return true;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= Highest
            && value >= (feature is Streams or Disposables ? 0 : 1);
    }

    private static void RefuseOthers(QubesEvent permission)
    {
        if (permission.Subject is not AdminVM && permission.Arguments["arg"] is string feature
            && feature.StartsWith(Prefix, StringComparison.Ordinal))
        {
            throw QubesErrors.PermissionDenied("only dom0 may change the limits of callers");
        }
    }

    private static void Validate(QubesEvent change)
    {
        string feature = (string)change.Arguments["feature"]!;
        if (change.Arguments["value"] is not string value || !TryParse(feature, value, out _))
        {
            throw QubesErrors.Value(
                $"Feature {feature} must be '{Unlimited}' or a number from {(feature is Streams or Disposables ? 0 : 1)} to {Highest}");
        }
    }
}
