using Qubes.Linux;

namespace Qubes.Lifecycle.Operations;

/// <summary>
/// Keeps what guests write to their consoles from filling the disk. QEMU appends to the log for as long as the guest runs, so a log
/// grown too long is cut in place, its last part kept as <c>.old</c>.
/// </summary>
internal sealed class ConsoleLogLimiter(QubesPaths paths, long limit = 4 << 20, int kept = 1 << 20)
{
    private const UnixFileMode Mode = (UnixFileMode)0x1B0; // 0660

    internal Task LimitAsync(IReadOnlyList<string> qubes) => Task.Run(() =>
    {
        foreach (string qube in qubes)
        {
            string log = paths.GuestConsoleLog(qube);
            if (FileStatus.Find(log) is { IsRegularFile: true } status && status.Size > (ulong)limit)
            {
                Cut(log);
            }
        }
    });

    private void Cut(string log)
    {
        using FileStream stream = new(log, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        byte[] last = new byte[Math.Min(kept, stream.Length)];
        stream.Seek(-last.Length, SeekOrigin.End);
        stream.ReadExactly(last);
        AtomicFile.Write(log + ".old", last, Mode);
        stream.SetLength(0);
    }
}
