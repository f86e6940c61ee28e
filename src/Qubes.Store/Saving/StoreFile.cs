using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qubes.Store.Saving;

/// <summary>
/// The store's file and its earlier generations (<c>qubes.xml.good-1</c> is the newest). The file is locked from the moment it is read until
/// <see cref="Dispose"/>, each new one before it takes the name. All calls block on the disk and belong on the thread pool; replacements one at
/// a time.
/// </summary>
internal sealed class StoreFile(StoreOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    private const UnixFileMode Mode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(20);

    private readonly uint? _group = Environment.IsPrivilegedProcess ? GroupDatabase.FindId("qubes") : null;
    private readonly Lock _gate = new();
    private SafeFileHandle? _locked;
    private Identity? _known;
    private Identity? _coming;
    private long? _lastGeneration;

    public string Path => options.StoreFile;

    public bool Exists => File.Exists(Path);

    /// <summary>The file system takes no changes: the store could be read but not locked.</summary>
    public bool IsReadOnly { get; private set; }

    /// <summary>Locks the store, reads it, and remembers which file it was.</summary>
    /// <exception cref="QubesException">Somebody else holds the lock, and goes on holding it.</exception>
    public byte[] Read()
    {
        SafeFileHandle file = OpenLocked();
        byte[] content = new byte[RandomAccess.GetLength(file)];
        int read = 0;
        while (read < content.Length && RandomAccess.Read(file, content.AsSpan(read), read) is > 0 and int count)
        {
            read += count;
        }

        _locked = file;
        _known = Identity.Of(FileStamp.Of(file));
        return read == content.Length ? content : content[..read];
    }

    /// <exception cref="QubesException">Somebody else changed the file since it was read or written last.</exception>
    public void VerifyOurs()
    {
        lock (_gate)
        {
            // A new one of our own may be taking the name right now. Looked at before the lock, the old one could be no longer known within it.
            Identity found = Identity.Of(FileStamp.Of(Path));
            if (_known is not null && found != _known && found != _coming)
            {
                throw QubesErrors.General("Someone else modified qubes.xml in the meantime");
            }
        }
    }

    /// <summary>Replaces the store; on return the new content is durable.</summary>
    /// <exception cref="QubesException">Somebody else changed the file since it was read or written last.</exception>
    /// <exception cref="IOException">It could not be written; <see cref="IsReplaced"/> tells whether it stands there all the same.</exception>
    public void Replace(ReadOnlySpan<byte> content)
    {
        FaultPoint.Hit("store-save:begin");
        VerifyOurs();
        Write(content);
        FaultPoint.Hit("store-save:replaced");
        if (_lastGeneration is not { } last || time.GetElapsedTime(last) >= options.GenerationAge)
        {
            KeepGeneration(content);
        }

        FaultPoint.Hit("store-save:done");
    }

    /// <summary>The last replacement got so far that its file has the name, whether or not that is durable.</summary>
    public bool IsReplaced { get; private set; }

    /// <summary>Creates the store where there is none.</summary>
    public void Create(ReadOnlySpan<byte> content)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        Write(content);
    }

    /// <summary>Keeps a content that is known to be good. A failure is logged: the store itself is safe.</summary>
    public void KeepGeneration(ReadOnlySpan<byte> content)
    {
        string newest = GenerationPath(1);
        try
        {
            // Restarts without a change must not push out what is older.
            if (FileStamp.Of(newest).Size == (ulong)content.Length && content.SequenceEqual(File.ReadAllBytes(newest)))
            {
                _lastGeneration = time.GetTimestamp();
                return;
            }

            for (int i = options.Generations - 1; i >= 1; i--)
            {
                if (File.Exists(GenerationPath(i)))
                {
                    File.Move(GenerationPath(i), GenerationPath(i + 1), overwrite: true);
                }
            }

            AtomicFile.Write(newest, content, Mode, _group);
            _lastGeneration = time.GetTimestamp();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.GenerationFailed(e, newest);
        }
    }

    /// <summary>The generations there are, newest first.</summary>
    public IEnumerable<string> Generations() =>
        Enumerable.Range(1, options.Generations).Select(GenerationPath).Where(File.Exists);

    /// <summary>Puts the store aside under a name that nothing overwrites, and makes another content the store.</summary>
    /// <param name="good">The new content.</param>
    /// <param name="kind">What the old one is, for its name.</param>
    /// <returns>The name it was kept under.</returns>
    public string ReplaceKeeping(ReadOnlySpan<byte> good, string kind)
    {
        string kept = FreeName(kind);
        File.Copy(Path, kept);
        Write(good);
        return kept;
    }

    /// <summary>A name beside the store that is not taken: <c>qubes.xml.KIND-TIME</c>.</summary>
    public string FreeName(string kind)
    {
        string name = $"{Path}.{kind}-{time.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}";
        string free = name;
        for (int i = 1; File.Exists(free); i++)
        {
            free = $"{name}-{i}";
        }

        return free;
    }

    public void RemoveLeftovers() => AtomicFile.RemoveLeftovers(Path);

    public void Dispose() => _locked?.Dispose();

    public static string GenerationPath(string store, int generation) => $"{store}.good-{generation}";

    private string GenerationPath(int generation) => GenerationPath(Path, generation);

    private SafeFileHandle OpenLocked()
    {
        using ManualResetEventSlim never = new();
        long begun = time.GetTimestamp();
        while (true)
        {
            SafeFileHandle file;
            try
            {
                file = File.OpenHandle(Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            }
            catch (IOException e) when (e.HResult == Errno.EROFS)
            {
                IsReadOnly = true;
                logger.ReadOnly(Path);
                return File.OpenHandle(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            }

            bool isTaken = FileLock.TryTake(file);

            // Whoever held the lock may have put a new file in place before it was ours.
            if (isTaken && Identity.Of(FileStamp.Of(file)) == Identity.Of(FileStamp.Of(Path)))
            {
                return file;
            }

            int? holder = isTaken ? null : FileLock.FindHolder(file);
            file.Dispose();
            if (time.GetElapsedTime(begun) >= options.LockPatience)
            {
                throw QubesErrors.General(holder is > 0
                    ? $"Qubes XML store '{Path}' is in use by process {holder}"
                    : $"Qubes XML store '{Path}' is in use by another program");
            }

            // Programs that change the store by hand hold it for a moment; there is no way to wait for a lock with a deadline.
            never.Wait(LockPoll);
        }
    }

    private void Write(ReadOnlySpan<byte> content)
    {
        SafeFileHandle? next = null;
        IsReplaced = false;
        try
        {
            AtomicFile.Write(Path, content, Mode, _group, file =>
            {
                if (!FileLock.TryTake(file))
                {
                    throw new IOException("The new store is locked by another program");
                }

                next = FileLock.Duplicate(file);
                lock (_gate)
                {
                    _coming = Identity.Of(FileStamp.Of(file));
                }
            });
        }
        finally
        {
            lock (_gate)
            {
                // Even when the last step failed, the file that has the name is the one to go on from.
                if (next is not null && Identity.Of(FileStamp.Of(Path)) == _coming)
                {
                    (next, _locked) = (_locked, next);
                    _known = _coming;
                    IsReplaced = true;
                    IsReadOnly = false;
                }

                _coming = null;
            }

            next?.Dispose();
        }
    }

    // The change time is no part of it: the rename itself changes it.
    private sealed record Identity(ulong Device, ulong Inode, ulong Size, long Modified)
    {
        public static Identity Of(FileStamp stamp) => new(stamp.Device, stamp.Inode, stamp.Size, stamp.Modified);
    }
}
