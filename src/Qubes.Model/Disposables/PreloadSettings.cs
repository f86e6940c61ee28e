using System.Globalization;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Disposables;

/// <summary>What the features say about how many disposables a template keeps ready, and when.</summary>
public static class PreloadSettings
{
    /// <summary>Seconds before one that was used is replaced, unless the features say otherwise.</summary>
    public const double DefaultDelay = 3;

    /// <summary>How many the template is to keep: dom0's number if it is the default template and dom0 has one, else its own.</summary>
    public static int MaximumOf(QubesVM template) => GlobalMaximum(template) ?? LocalMaximum(template);

    /// <summary>The template's own number.</summary>
    public static int LocalMaximum(QubesVM template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return Number(template.Features.Get(PreloadFeatures.Max));
    }

    /// <summary>dom0's number, if dom0 has one and the template is the default one; null if the template's own applies.</summary>
    public static int? GlobalMaximum(QubesVM template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return IsDefault(template) && template.App.Domains.AdminVM.Features.TryGet(PreloadFeatures.Max, out string? value) ? Number(value) : null;
    }

    /// <summary>dom0 has a number, and it is another than the template's own.</summary>
    public static bool IsGlobalDistinct(QubesVM template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return template.App.Domains.AdminVM.Features.TryGet(PreloadFeatures.Max, out string? value) && Number(value) != LocalMaximum(template);
    }

    public static bool HasVacancy(QubesVM template) => PreloadList.Of(template).Length < MaximumOf(template);

    /// <summary>Seconds before a used one is replaced; negative: only when none is left.</summary>
    public static double DelayOf(QubesVM template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return (template.Features.Get(PreloadFeatures.Delay) ?? template.App.Domains.AdminVM.Features.Get(PreloadFeatures.Delay)) is not { } text
            ? DefaultDelay
            : TryDelay(text, out double seconds) ? seconds : DefaultDelay;
    }

    /// <summary>Bytes of memory that are to stay free.</summary>
    public static long ThresholdOf(QubesApp app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return (long)Number(app.Domains.AdminVM.Features.Get(PreloadFeatures.Threshold)) << 20;
    }

    /// <summary>The templates that keep disposables ready when the host starts or wakes up.</summary>
    public static IReadOnlyList<AppVM> Templates(QubesApp app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return [.. app.Domains.OfType<AppVM>().Where(qube => qube.TemplateForDispVMs && MaximumOf(qube) > 0)];
    }

    /// <summary>The guest can tell when it is ready.</summary>
    public static bool IsSupported(QubesVM template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return IsTrue(template, "supported-rpc." + PreloadFeatures.WaitForSystem)
            && IsTrue(template, "supported-rpc." + PreloadFeatures.WaitForSession);
    }

    /// <exception cref="QubesException"><c>QubesValueError</c>.</exception>
    public static void RequireSupport(QubesVM template)
    {
        if (!IsSupported(template))
        {
            throw QubesErrors.Value(
                $"{template.Name}: preloading needs features supported-rpc.{PreloadFeatures.WaitForSystem} and supported-rpc.{PreloadFeatures.WaitForSession}");
        }
    }

    /// <summary>A feature of the qube or the nearest of its templates that has it is true.</summary>
    public static bool IsTrue(QubesVM qube, string feature)
    {
        ArgumentNullException.ThrowIfNull(qube);
        return !string.IsNullOrEmpty(qube.Features.CheckWithTemplate(feature));
    }

    internal static bool IsNumber(string text) => text.Length == 0 || TryNumber(text, out _);

    /// <summary>Seconds, also negative or broken; the empty text is none.</summary>
    internal static bool TryDelay(string text, out double seconds)
    {
        seconds = 0;
        return text.Length == 0
            || (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out seconds) && double.IsFinite(seconds)
                && Math.Abs(seconds) <= TimeSpan.FromDays(1).TotalSeconds);
    }

    private static bool IsDefault(QubesVM template) => QubesAppProperties.DefaultDispVM.Get(template.App) == template;

    // Features of an older store may hold anything.
    private static int Number(string? text) => TryNumber(text, out int number) ? number : 0;

    private static bool TryNumber(string? text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= 1 << 20;
}
