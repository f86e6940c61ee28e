using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Boot;

/// <summary>The options that every qube booting a kernel needs, kept with the kernel.</summary>
internal static class KernelOptionsFile
{
    private const int LongestOptions = 4096;

    /// <summary>The content without line ends; null without such a file. Blocks on the disk.</summary>
    internal static string? Read(string kernelDirectory)
    {
        FileInfo file = new(Path.Combine(kernelDirectory, "default-kernelopts-common.txt"));
        if (!file.Exists)
        {
            return null;
        }

        return file.Length <= LongestOptions
            ? string.Concat(File.ReadLines(file.FullName))
            : throw QubesErrors.General("The kernel's common options are too long");
    }
}
