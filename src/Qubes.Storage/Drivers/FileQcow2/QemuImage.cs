using System.Globalization;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>The jobs left to <c>qemu-img</c>: those that move or drop data. Formats are always said, never guessed.</summary>
internal sealed class QemuImage(string program)
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(6);

    /// <summary>Writes the data of an overlay into the image it lies on. The overlay stays as it is; may be repeated.</summary>
    public Task CommitAsync(string overlay, CancellationToken cancellationToken) =>
        RunAsync(["commit", "-q", "-d", "-f", "qcow2", overlay], cancellationToken);

    /// <summary>Writes what a qcow2 image and those beneath show into a new raw file, sparsely.</summary>
    public Task ConvertToRawAsync(string image, string target, CancellationToken cancellationToken) =>
        RunAsync(["convert", "-q", "-f", "qcow2", "-O", "raw", "-S", "4k", image, target], cancellationToken);

    public Task ShrinkAsync(string image, DiskFormat format, long size, CancellationToken cancellationToken) => RunAsync(
        ["resize", "-q", "--shrink", "-f", format == DiskFormat.Raw ? "raw" : "qcow2", image, size.ToString(CultureInfo.InvariantCulture)],
        cancellationToken);

    private async Task RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        CapturedProcess result = await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = program, Arguments = arguments, EnvironmentChanges = new Dictionary<string, string?> { ["LC_ALL"] = "C" } },
            outputLimit: 4096,
            timeout: Longest,
            cancellationToken: cancellationToken);
        if (!result.Exit.IsSuccess)
        {
            throw new QubesException(QubesErrorNames.StoragePool, $"qemu-img {arguments[0]} failed", new IOException(result.ErrorText));
        }
    }
}
