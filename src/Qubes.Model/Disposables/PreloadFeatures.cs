namespace Qubes.Model.Disposables;

/// <summary>The features by which disposables started ahead of need are asked for and kept track of.</summary>
public static class PreloadFeatures
{
    /// <summary>On a template, or on dom0 for the default template: how many to keep ready.</summary>
    public const string Max = "preload-dispvm-max";

    /// <summary>On a template: the names of those that are ready or being prepared, oldest first, separated by spaces.</summary>
    public const string List = "preload-dispvm";

    /// <summary>On a template, or on dom0: seconds before one that was used is replaced; negative: only when none is left.</summary>
    public const string Delay = "preload-dispvm-delay";

    /// <summary>On dom0: MiB of memory that are to stay free.</summary>
    public const string Threshold = "preload-dispvm-threshold";

    /// <summary>On a disposable: it is being prepared, or handed out.</summary>
    public const string InProgress = "preload-dispvm-in-progress";

    /// <summary>On a disposable: it was ready once.</summary>
    public const string Completed = "preload-dispvm-completed";

    /// <summary>On a disposable: hides it while it waits.</summary>
    public const string Internal = "internal";

    /// <summary>What all features of preloading begin with; disposables inherit none of them.</summary>
    public const string Prefix = "preload-dispvm";

    /// <summary>The services a guest must have to tell that it is ready.</summary>
    public const string WaitForSystem = "qubes.WaitForRunningSystem";

    public const string WaitForSession = "qubes.WaitForSession";
}
