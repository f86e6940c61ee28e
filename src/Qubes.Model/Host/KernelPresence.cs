namespace Qubes.Model.Host;

/// <summary>What is found of a kernel under <c>vm-kernels</c>.</summary>
public enum KernelPresence
{
    Missing,

    /// <summary>The directory exists but has no <c>vmlinuz</c>.</summary>
    WithoutImage,
    Installed,
}
