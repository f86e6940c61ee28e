namespace Qubes.Storage;

/// <summary>What is left to do after a resize.</summary>
public enum ResizeOutcome
{
    /// <summary>The next start sees the new size.</summary>
    Done,

    /// <summary>The qube runs: its hypervisor must be told to resize the disk at <see cref="VolumeStatus.Path"/>, then the guest.</summary>
    HypervisorMustResize,
}
