using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;

namespace Qubes.Model.Disposables;

/// <summary>The list of disposables a template keeps ready, held in its feature <see cref="PreloadFeatures.List"/>.</summary>
public static class PreloadList
{
    /// <summary>Names, oldest first.</summary>
    public static string[] Of(Qube template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return Split(template.Features.Get(PreloadFeatures.List));
    }

    public static bool Contains(Qube template, string name)
    {
        ArgumentNullException.ThrowIfNull(template);
        return template.Features.TryGet(PreloadFeatures.List, out string? list) && Array.IndexOf(Split(list), name) >= 0;
    }

    public static void Add(Qube template, DispVM disposable)
    {
        ArgumentNullException.ThrowIfNull(disposable);
        Set(template, [.. Of(template), disposable.Name]);
    }

    /// <summary>Does nothing if it is not listed.</summary>
    public static void Remove(Qube template, string name)
    {
        if (Contains(template, name))
        {
            Set(template, [.. Of(template).Where(listed => listed != name)]);
        }
    }

    public static void Set(Qube template, IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(template);
        template.Features.Set(PreloadFeatures.List, string.Join(' ', names));
    }

    internal static string[] Split(string? list) => (list ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>No more than wanted (or than there were), none twice, and the new ones disposables of this template.</summary>
    /// <exception cref="QubesException"><c>QubesValueError</c>.</exception>
    internal static void Check(QubesVM template, string value)
    {
        string[] names = Split(value);
        string[] old = Of(template);
        if (names.Length == 0 || names.Order(StringComparer.Ordinal).SequenceEqual(old.Order(StringComparer.Ordinal)))
        {
            return;
        }

        if (names.Length > Math.Max(PreloadSettings.MaximumOf(template), old.Length))
        {
            throw QubesErrors.Value($"Invalid preload-dispvm value: there can be at most {PreloadSettings.MaximumOf(template)} disposables");
        }

        if (names.Distinct(StringComparer.Ordinal).Count() != names.Length)
        {
            throw QubesErrors.Value("Invalid preload-dispvm value: a disposable is listed twice");
        }

        foreach (string name in names.Except(old, StringComparer.Ordinal))
        {
            if (!template.App.Domains.TryGet(name, out Qube? qube) || qube is not DispVM || qube.Template != template)
            {
                throw QubesErrors.Value(
                    $"Invalid preload-dispvm value: {PythonText.Repr(name)} is no disposable based on {PythonText.Repr(template.Name)}");
            }
        }
    }
}
