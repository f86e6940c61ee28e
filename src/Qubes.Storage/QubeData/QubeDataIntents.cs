using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>
/// Keeps qubes.xml and the disk together where no single write can: a qube's data is announced here before the first of it is made
/// (creation) or before the qube leaves the store (removal). Whatever is still announced at start and belongs to no qube of the
/// store is removed; if the store has the qube, the data stays.
/// </summary>
public sealed class QubeDataIntents(StorageService storage)
{
    private const string DirectoryName = ".qube-intents";
    private const string Suffix = ".json";
    private const int MaxLength = 1 << 20;
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private string StateDirectory => storage.Environment.Paths.StateDirectory;

    /// <summary>Durable on return. Close it when store and disk agree again.</summary>
    /// <param name="qubeDirectory"><c>appvms/NAME</c> or <c>vm-templates/NAME</c>.</param>
    /// <param name="volumes">Completed configurations.</param>
    public async Task<QubeDataIntent> AnnounceAsync(string qubeDirectory, IReadOnlyList<VolumeConfig> volumes)
    {
        CheckDirectory(qubeDirectory);
        // Kernels are not the qube's, and a volume without id has no data.
        IReadOnlyList<VolumeConfig> own = [.. volumes.Where(volume => !string.IsNullOrEmpty(volume.Vid) && VolumeNames.IsFileVid(volume.Vid))];
        string path = Path.Combine(StateDirectory, DirectoryName, KernelRandom.HexString(16) + Suffix);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await AtomicFile.WriteAsync(path, new QubeDataRecord(qubeDirectory, own).Write(), FileMode);
        FaultPoint.Hit("qube-data-announced");
        return new QubeDataIntent(path);
    }

    /// <summary>Removes announced data that belongs to no qube. Called at start, after the store is loaded and the pools recovered.</summary>
    /// <param name="isInStore">Whether a qube with this directory is in the store, be it one set aside as damaged.</param>
    /// <returns>How many announcements were found.</returns>
    public async Task<int> RecoverAsync(Func<string, bool> isInStore, CancellationToken cancellationToken = default)
    {
        string directory = Path.Combine(StateDirectory, DirectoryName);
        if (!Directory.Exists(directory))
        {
            return 0;
        }

        int count = 0;
        foreach (string path in Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal).ToArray())
        {
            if (!path.EndsWith(Suffix, StringComparison.Ordinal))
            {
                // A write cut short: it announced nothing yet, so nothing was made.
                Delete(path);
                continue;
            }

            count++;
            try
            {
                await RecoverAsync(path, isInStore, cancellationToken);
            }
            catch (Exception e) when (e is FormatException or QubesException or IOException or UnauthorizedAccessException)
            {
                storage.Environment.Log.LogError(e, "Data announced in {File} could not be cleaned up; it will be tried again at the next start", path);
            }
        }

        return count;
    }

    internal static void Delete(string path)
    {
        File.Delete(path);
        AtomicFile.SyncDirectory(Path.GetDirectoryName(path)!);
        FaultPoint.Hit("qube-data-closed");
    }

    private static string CheckDirectory(string qubeDirectory)
    {
        string[] segments = qubeDirectory.Split('/');
        return segments.Length == 2 && segments[0] is "appvms" or "vm-templates" && VolumeNames.IsSegment(segments[1])
            ? qubeDirectory
            : throw QubesErrors.StoragePool("Qube directory is not valid");
    }

    private async Task RecoverAsync(string path, Func<string, bool> isInStore, CancellationToken cancellationToken)
    {
        byte[] content = await ReadAsync(path, cancellationToken);
        QubeDataRecord record = QubeDataRecord.Parse(content);
        CheckDirectory(record.QubeDirectory);
        if (!isInStore(record.QubeDirectory))
        {
            storage.Environment.Log.LogWarning("Removing the data of {Qube}, whose creation or removal was interrupted", record.QubeDirectory);
            foreach (VolumeConfig volume in record.Volumes)
            {
                await storage.Open(volume).RemoveAsync(cancellationToken);
            }

            string directory = Path.Combine(StateDirectory, record.QubeDirectory);
            if (Directory.Exists(directory))
            {
                Directory.Delete(directory, recursive: true);
            }
        }

        Delete(path);
    }

    private static async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken) =>
        new FileInfo(path).Length <= MaxLength
            ? await File.ReadAllBytesAsync(path, cancellationToken)
            : throw new FormatException("The intent is too long.");
}
