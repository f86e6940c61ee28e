using Qubes.Linux;

namespace Qubes.Lifecycle.Boot;

/// <summary>
/// Whether guests really run with KVM here. That <c>/dev/kvm</c> opens, and even that single instructions execute, is no proof: there
/// are hosts where a kernel never gets through its start. So one is booted, without a disk, and has to end in its own panic.
/// </summary>
/// <remarks>The answer is kept until the host restarts, in <c>run/qubes/kvm-usable</c>.</remarks>
public sealed class KvmProbe(QubesPaths paths, TimeSpan? patience = null)
{
    private const string Emulator = "/usr/bin/qemu-system-x86_64";
    private const string Device = "/dev/kvm";

    private readonly TimeSpan _patience = patience ?? TimeSpan.FromSeconds(10);
    private readonly AsyncLock _gate = new();
    private bool? _answer;

    private string AnswerFile => Path.Combine(paths.QubesRunDirectory, "kvm-usable");

    /// <param name="kernelImage">A kernel to try with; without one, that the device opens has to do.</param>
    public async Task<bool> IsUsableAsync(string? kernelImage)
    {
        using (await _gate.AcquireAsync())
        {
            if (_answer is { } known)
            {
                return known;
            }

            if (!File.Exists(Device) || !File.Exists(Emulator))
            {
                _answer = false;
                return false;
            }

            if (ReadKept() is { } kept)
            {
                _answer = kept;
                return kept;
            }

            if (kernelImage is null)
            {
                return true;
            }

            bool works = await BootsAsync(kernelImage);
            _answer = works;
            Directory.CreateDirectory(paths.QubesRunDirectory);
            await AtomicFile.WriteAsync(AnswerFile, works ? "yes\n"u8.ToArray() : "no\n"u8.ToArray(), (UnixFileMode)0x1A4 /* 0644 */);
            return works;
        }
    }

    // Others may make files in that directory.
    private bool? ReadKept() => FileStatus.Find(AnswerFile) is not { IsOwnRegularFile: true } ? null : File.ReadAllText(AnswerFile) switch
    {
        "yes\n" => true,
        "no\n" => false,
        _ => null,
    };

    private async Task<bool> BootsAsync(string kernelImage)
    {
        try
        {
            // Without a root file system the kernel panics, and panic=-1 makes that a reset, which ends QEMU with success.
            CapturedProcess run = await ProcessCapture.RunAsync(new ChildProcessOptions
            {
                FileName = Emulator,
                Arguments =
                [
                    "-accel", "kvm", "-cpu", "host", "-machine", "q35", "-m", "128", "-nodefaults", "-no-user-config", "-display", "none",
                    "-no-reboot", "-kernel", kernelImage, "-append", "panic=-1 quiet",
                ],
            }, outputLimit: 4096, timeout: _patience);
            return run.Exit.IsSuccess;
        }
        catch (Exception failure) when (failure is TimeoutException or LinuxException)
        {
            return false;
        }
    }
}
