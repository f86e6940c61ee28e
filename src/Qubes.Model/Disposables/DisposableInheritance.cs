using Qubes.Model.Classes;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Model.Disposables;

/// <summary>What a new disposable takes from its template.</summary>
internal static class DisposableInheritance
{
    private const string CreatedBy = "created-by-";
    private const string DisposableCreatedBy = "disp-created-by-";

    /// <exception cref="QubesException"><c>QubesValueError</c>: no template for disposables.</exception>
    internal static void RequireTemplate(Qube template)
    {
        if (template is not IDisposableTemplate { TemplateForDispVMs: true })
        {
            throw QubesErrors.Value($"template for disposable ({template.Name}) needs to be an AppVM with template_for_dispvms=True");
        }
    }

    /// <summary>
    /// The volumes of the class, each with the template's pool where it has none of its own, writable as the template's, and encrypted
    /// with a passing key if the template's explicitly is (or explicitly is not); then those the template has beyond them.
    /// </summary>
    internal static IReadOnlyList<VolumeConfig> Volumes(IReadOnlyList<VolumeConfig> own, QubesVM template) =>
    [
        .. own.Select(volume => template.Volumes.TryGet(volume.Name, out VolumeConfig? origin)
            ? volume with { Pool = volume.Pool ?? origin.Pool, Rw = origin.Rw, Ephemeral = volume.Ephemeral ?? origin.Ephemeral }
            : volume),
        .. template.Volumes.All.Where(volume => !own.Any(o => o.Name == volume.Name)).Select(volume => volume with { Vid = null }),
    ];

    /// <summary>Explicit properties the disposable has none of its own of, features but those of preloading, tags.</summary>
    internal static void Copy(DispVM disposable, QubesVM template)
    {
        PropertyDefinition[] properties =
        [
            .. disposable.Properties.InListOrder.Where(property =>
                property.Clone && property.Name != DispVMProperties.Template.Name && !property.IsExplicit(disposable)),
        ];
        disposable.CloneProperties(template, properties);
        foreach ((string name, string value) in template.Features.All.ToArray())
        {
            if (!name.StartsWith(PreloadFeatures.Prefix, StringComparison.Ordinal))
            {
                disposable.Features.Set(name, value);
            }
        }

        foreach (string tag in template.Tags.All.ToArray())
        {
            if (!TellsCreator(tag))
            {
                disposable.Tags.Add(TagName.Parse(tag));
            }
        }
    }

    /// <summary>
    /// Tags that name who made a qube give that one rights over it: a disposable has those of its own creator, never its template's.
    /// </summary>
    internal static bool TellsCreator(string tag) =>
        tag.StartsWith(CreatedBy, StringComparison.Ordinal) || tag.StartsWith(DisposableCreatedBy, StringComparison.Ordinal);
}
