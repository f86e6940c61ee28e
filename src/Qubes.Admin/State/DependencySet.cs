using Qubes.Model.Changes;

namespace Qubes.Admin.State;

/// <summary>
/// The parts of the model outside of a qube that its values were made of. Qubes on one template behind one network qube have the
/// same set, which is kept once for all of them.
/// </summary>
internal sealed class DependencySet(HashSet<ModelPart> parts)
{
    public HashSet<ModelPart> Parts { get; } = parts;

    /// <summary>How many images have it.</summary>
    public int Users { get; set; }

    /// <summary>One of the parts was touched; only meaningful while a refresh runs.</summary>
    public bool IsHit { get; set; }
}
