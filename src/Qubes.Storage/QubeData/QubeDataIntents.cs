using System.Collections.Concurrent;
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
/// <param name="storage">Where the data is.</param>
/// <param name="hasPool">Whether the system has this pool, be it one that cannot be opened; what lies in others stays there.</param>
public sealed class QubeDataIntents(StorageService storage, Func<string, bool> hasPool)
{
    private const string DirectoryName = ".qube-intents";
    private const string Suffix = ".json";
    private const int MaxLength = 1 << 20;
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // Announcements (path, directory of the qube) about qubes that are not in the store, whose data could not be removed: a driver is not there, or
    // the disk failed. Each stays here until it is done, so that whoever makes a qube of that name waits for it. They are done under the lock.
    private readonly ConcurrentDictionary<string, string> _postponed = new(StringComparer.Ordinal);
    private readonly AsyncLock _lock = new();

    /// <summary>Some of what was announced waits to be removed.</summary>
    public bool HasPostponed => !_postponed.IsEmpty;

    private string StateDirectory => storage.Environment.Paths.StateDirectory;

    /// <summary>Durable on return. Close it when store and disk agree again.</summary>
    /// <param name="qubeDirectory"><c>appvms/NAME</c> or <c>vm-templates/NAME</c>.</param>
    /// <param name="volumes">Completed configurations.</param>
    public async Task<QubeDataIntent> AnnounceAsync(string qubeDirectory, IReadOnlyList<VolumeConfig> volumes)
    {
        CheckDirectory(qubeDirectory);
        string path = Path.Combine(StateDirectory, DirectoryName, KernelRandom.HexString(16) + Suffix);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await AtomicFile.WriteAsync(path, Record(qubeDirectory, volumes), FileMode);
        FaultPoint.Hit("qube-data-announced");
        return new QubeDataIntent(path, qubeDirectory);
    }

    /// <summary>Of what was announced only these volumes are left.</summary>
    public static Task NarrowAsync(QubeDataIntent intent, IEnumerable<VolumeConfig> left) =>
        AtomicFile.WriteAsync(intent.Path, Record(intent.QubeDirectory, left), FileMode);

    /// <summary>
    /// Store and disk do not agree yet: the qube is not in the store, and what was announced of it cannot be removed now. It is removed by
    /// <see cref="RetryAsync"/>, by <see cref="SettleAsync"/> or at the next start.
    /// </summary>
    public void Postpone(QubeDataIntent intent) => _postponed[intent.Path] = intent.QubeDirectory;

    /// <summary>Once more what could not be done.</summary>
    /// <param name="isTaken">Whether there is a qube with this directory, whose data is not to be touched: it called <see cref="SettleAsync"/>, or will.</param>
    /// <returns>True if not all of it could be done now.</returns>
    public async Task<bool> RetryAsync(Func<string, bool> isTaken, CancellationToken cancellationToken = default)
    {
        using AsyncLock.Holder held = await _lock.AcquireAsync(cancellationToken);
        foreach ((string path, string directory) in _postponed.ToArray())
        {
            try
            {
                if (isTaken(directory))
                {
                    continue;
                }

                await RecoverAsync(path, static _ => false, cancellationToken);
                _postponed.TryRemove(path, out _);
            }
            catch (Exception e) when (IsExpected(e))
            {
                storage.Environment.Log.LogDebug(e, "Data announced in {File} cannot be removed yet", path);
            }
        }

        return HasPostponed;
    }

    /// <summary>Before a qube is made: what is left of a former one of that name goes, or there would be data already.</summary>
    /// <exception cref="QubesException">It cannot be removed now.</exception>
    public async Task SettleAsync(string qubeDirectory, CancellationToken cancellationToken = default)
    {
        if (!_postponed.Values.Contains(qubeDirectory))
        {
            return;
        }

        using AsyncLock.Holder held = await _lock.AcquireAsync(cancellationToken);
        foreach (string path in _postponed.Where(postponed => postponed.Value == qubeDirectory).Select(postponed => postponed.Key).ToArray())
        {
            try
            {
                await RecoverAsync(path, static _ => false, cancellationToken);
            }
            catch (Exception e) when (IsExpected(e))
            {
                throw new QubesException(QubesErrorNames.StoragePool, $"What is left of a former qube of that name cannot be removed: {e.Message}", e);
            }

            _postponed.TryRemove(path, out _);
        }
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
            await TryRecoverAsync(path, isInStore, cancellationToken);
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

    // Kernels are not the qube's, and a volume without id has no data.
    private static byte[] Record(string qubeDirectory, IEnumerable<VolumeConfig> volumes) => new QubeDataRecord(
        qubeDirectory, [.. volumes.Where(volume => !string.IsNullOrEmpty(volume.Vid) && VolumeNames.IsFileVid(volume.Vid))]).Write();

    private static bool IsExpected(Exception failure) =>
        failure is FormatException or QubesException or IOException or UnauthorizedAccessException;

    private async Task TryRecoverAsync(string path, Func<string, bool> isInStore, CancellationToken cancellationToken)
    {
        try
        {
            await RecoverAsync(path, isInStore, cancellationToken);
        }
        catch (Exception e) when (IsExpected(e))
        {
            if (DriverGoneException.IsCauseOf(e))
            {
                storage.Environment.Log.LogWarning("Data announced in {File} is cleaned up later: {Reason}", path, LogText.Escape(e.Message));
            }
            else
            {
                storage.Environment.Log.LogError(e, "Data announced in {File} could not be cleaned up; it will be tried again", path);
            }

            await TryPostponeAsync(path, cancellationToken);
        }
    }

    /// <summary>Nothing can be done about an announcement that cannot be read, and nobody knows whom it is about.</summary>
    private async Task TryPostponeAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            _postponed[path] = CheckDirectory(QubeDataRecord.Parse(await ReadAsync(path, cancellationToken)).QubeDirectory);
        }
        catch (Exception e) when (IsExpected(e))
        {
            storage.Environment.Log.LogDebug(e, "What is announced in {File} is not known", path);
        }
    }

    private async Task RecoverAsync(string path, Func<string, bool> isInStore, CancellationToken cancellationToken)
    {
        byte[] content = await ReadAsync(path, cancellationToken);
        QubeDataRecord record = QubeDataRecord.Parse(content);
        CheckDirectory(record.QubeDirectory);
        if (!isInStore(record.QubeDirectory))
        {
            // Each is tried, whatever becomes of the others.
            await Task.WhenAll(record.Volumes.Where(volume => volume.Pool is { } pool && hasPool(pool))
                .Select(async volume => await storage.Open(volume).RemoveAsync(cancellationToken)));

            string directory = Path.Combine(StateDirectory, record.QubeDirectory);
            if (Directory.Exists(directory))
            {
                Directory.Delete(directory, recursive: true);
            }

            storage.Environment.Log.LogWarning("Removed the data of {Qube}, whose creation or removal was interrupted", record.QubeDirectory);
        }

        Delete(path);
    }

    private static async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken) =>
        new FileInfo(path).Length <= MaxLength
            ? await File.ReadAllBytesAsync(path, cancellationToken)
            : throw new FormatException("The intent is too long.");
}
