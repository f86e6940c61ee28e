using Qubes.Lifecycle.Control;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Lifecycle.Volumes;

/// <summary>A qube's volumes with everything the class and the store leave open filled in: pool, id, source.</summary>
internal static class QubeVolumePlan
{
    private const int LongestTemplateChain = 8;
    private const string KernelVolume = "kernel";

    /// <summary>Complete configurations in the qube's order. Touches neither model nor disk.</summary>
    internal static IReadOnlyList<VolumeConfig> Complete(LifecycleContext context, QubesVM qube) =>
        Complete(context, qube, qube.Volumes.All);

    internal static IReadOnlyList<VolumeConfig> Complete(LifecycleContext context, QubesVM qube, IReadOnlyList<VolumeConfig> volumes)
    {
        IReadOnlyList<IReadOnlyList<VolumeConfig>> templates = TemplateVolumes(context, qube);
        return
        [
            .. volumes.Select(volume => VolumePlan.Complete(
                // Which kernel it is follows the property, not the store.
                volume.Name == KernelVolume ? volume with { Vid = qube.Kernel ?? "" } : volume,
                qube.DirectoryName, templates, name => DefaultPool(qube.App, name), context.Storage.Find)),
        ];
    }

    private static List<IReadOnlyList<VolumeConfig>> TemplateVolumes(LifecycleContext context, QubesVM qube)
    {
        List<IReadOnlyList<VolumeConfig>> chain = [];
        for (Qube? at = qube.Template; at is QubesVM template && chain.Count < LongestTemplateChain; at = at.Template)
        {
            chain.Add(Complete(context, template));
        }

        return chain;
    }

    private static string DefaultPool(QubesApp app, string volumeName) =>
        QubesAppProperties.PoolFor(app, volumeName) ?? throw QubesErrors.StoragePool("There is no default pool");
}
