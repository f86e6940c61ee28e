using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;

namespace Qubes.Storage;

/// <summary>
/// The records of multi-step changes under way in a pool, one file each in <c>.intents</c> of its directory. A record is durable
/// before the first file it speaks of is touched and goes when the last step is durable, so what is found there at start was
/// interrupted: undecided changes are thrown away, decided ones carried through. All steps may be repeated.
/// </summary>
internal sealed class IntentLog(RootedDirectory root, ILogger log)
{
    public const string DirectoryName = ".intents";
    private const string Suffix = ".json";
    private const string TemporarySuffix = ".tmp";

    // Decided changes whose steps met an error (a full disk, say). Guarded by itself.
    private readonly Dictionary<string, IntentRecord> _unsettled = new(StringComparer.Ordinal);

    /// <summary>Announces a change.</summary>
    /// <param name="discard">Temporary files it will make: removed if it comes to nothing.</param>
    public Intent Begin(string operation, string volume, params IReadOnlyList<string> discard)
    {
        IntentRecord record = new(operation, volume, IsDecided: false, discard, []);
        string file = $"{DirectoryName}/{KernelRandom.HexString(16)}{Suffix}";
        root.CreateDirectory(DirectoryName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Save(file, record);
        FaultPoint.Hit("storage-intent-begun");
        return new Intent(this, file, record);
    }

    /// <summary>
    /// Carries through what an error has interrupted in this run. Called before each operation: nothing may build on a change that
    /// is decided and half done.
    /// </summary>
    public void Settle()
    {
        lock (_unsettled)
        {
            foreach ((string file, IntentRecord record) in _unsettled.ToArray())
            {
                Complete(file, record);
                _unsettled.Remove(file);
            }
        }
    }

    /// <summary>Finishes or takes back all interrupted changes.</summary>
    /// <returns>How many there were.</returns>
    public int Replay()
    {
        int count = 0;
        foreach (string name in root.List(DirectoryName).Order(StringComparer.Ordinal))
        {
            string file = $"{DirectoryName}/{name}";
            if (name.EndsWith(TemporarySuffix, StringComparison.Ordinal))
            {
                root.Remove(file);
            }
            else if (name.EndsWith(Suffix, StringComparison.Ordinal) && TryRead(file) is { } record)
            {
                log.LogWarning("{Decision} interrupted change: {Intent}", record.IsDecided ? "Finishing" : "Undoing", LogText.Escape(record.ToString()));
                Finish(file, record);
                count++;
            }
        }

        return count;
    }

    internal void Save(string file, IntentRecord record)
    {
        string temporary = file + TemporarySuffix;
        root.Remove(temporary);
        try
        {
            using (SafeFileHandle handle = root.Create(temporary))
            {
                RandomAccess.Write(handle, record.Write(), 0);
                FileContent.Sync(handle);
            }

            root.Rename(temporary, file);
        }
        catch
        {
            // On a full disk every attempt would leave one.
            root.Remove(temporary);
            throw;
        }
    }

    internal void Finish(string file, IntentRecord record)
    {
        try
        {
            Complete(file, record);
        }
        catch
        {
            lock (_unsettled)
            {
                _unsettled[file] = record;
            }

            throw;
        }
    }

    private void Complete(string file, IntentRecord record)
    {
        if (record.IsDecided)
        {
            new IntentSteps(root).Apply(record.Steps);
        }
        else
        {
            foreach (string path in record.Discard)
            {
                root.Remove(path);
                FaultPoint.Hit("storage-intent-discard");
            }
        }

        FaultPoint.Hit("storage-intent-applied");
        root.Remove(file);
        root.SyncDirectoryOf(file);
        FaultPoint.Hit("storage-intent-closed");
    }

    // A record that cannot be read was never durable (it is renamed into place whole), or somebody changed it: it stays for a person to see.
    private IntentRecord? TryRead(string file)
    {
        try
        {
            using SafeFileHandle handle = root.OpenRead(file);
            byte[] content = new byte[Math.Min(RandomAccess.GetLength(handle), IntentRecord.MaxLength)];
            int length = RandomAccess.Read(handle, content, 0);
            return IntentRecord.Parse(content.AsMemory(0, length));
        }
        catch (FormatException e)
        {
            log.LogError(e, "Intent {File} cannot be read and is left in place", file);
            return null;
        }
    }
}
