using Qubes.Model.Classes;

namespace Qubes.Admin.State;

/// <summary>What was last told of one qube, and what it was made of.</summary>
internal sealed class QubeImage(Qube qube)
{
    public Qube Qube { get; } = qube;

    public required StateFragment Fragment { get; set; }

    public required DependencySet Dependencies { get; set; }
}
