namespace Qubes.Libvirt;

/// <summary>The calls of one qube, made one at a time in order. Guarded by the lane set's gate.</summary>
internal sealed class Lane(string name)
{
    internal string Name { get; } = name;

    internal Queue<LaneCall> Waiting { get; } = [];

    /// <summary>The call that occupies the lane, hung or not.</summary>
    internal LaneCall? Current { get; set; }

    /// <summary>In the ready queue, or taken from it by a worker that has not begun a call yet.</summary>
    internal bool IsScheduled { get; set; }
}
