namespace Qubes.Storage;

/// <summary>The files of a kernel on the host.</summary>
/// <param name="Directory">The directory that holds them.</param>
/// <param name="Kernel"><c>vmlinuz</c>.</param>
/// <param name="Initramfs">Null when the kernel has none.</param>
/// <param name="Modules">The image of its modules; null when it has none.</param>
public sealed record KernelFiles(string Directory, string Kernel, string? Initramfs, string? Modules);
