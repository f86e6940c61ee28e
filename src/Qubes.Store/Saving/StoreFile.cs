using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qubes.Store.Saving;

/// <summary>
/// The store's file and its earlier generations (<c>qubes.xml.good-1</c> is the newest). All calls block on the disk and belong on
/// the thread pool; one at a time.
/// </summary>
internal sealed class StoreFile(StoreOptions options, TimeProvider time, ILogger logger)
{
    private const UnixFileMode Mode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private readonly uint? _group = Environment.IsPrivilegedProcess ? GroupDatabase.FindId("qubes") : null;
    private Identity? _known;
    private DateTimeOffset _lastGeneration;

    public string Path => options.StoreFile;

    public bool Exists => File.Exists(Path);

    /// <summary>Reads the store and remembers which file it was.</summary>
    public byte[] Read()
    {
        byte[] content = File.ReadAllBytes(Path);
        _known = Find();
        return content;
    }

    /// <summary>Replaces the store; on return the new content is durable.</summary>
    /// <exception cref="QubesException">Somebody else changed the file since it was read or written last.</exception>
    public void Replace(ReadOnlySpan<byte> content)
    {
        FaultPoint.Hit("store-save:begin");
        if (_known is not null && Find() != _known)
        {
            throw QubesErrors.General("Someone else modified qubes.xml in the meantime");
        }

        AtomicFile.Write(Path, content, Mode, _group);
        FaultPoint.Hit("store-save:replaced");
        _known = Find();
        if (time.GetUtcNow() - _lastGeneration >= options.GenerationAge)
        {
            KeepGeneration(content);
        }

        FaultPoint.Hit("store-save:done");
    }

    /// <summary>Creates the store where there is none.</summary>
    public void Create(ReadOnlySpan<byte> content)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        AtomicFile.Write(Path, content, Mode, _group);
        _known = Find();
    }

    /// <summary>Keeps a content that is known to be good. A failure is logged: the store itself is safe.</summary>
    public void KeepGeneration(ReadOnlySpan<byte> content)
    {
        string newest = GenerationPath(1);
        try
        {
            for (int i = options.Generations - 1; i >= 1; i--)
            {
                if (File.Exists(GenerationPath(i)))
                {
                    File.Move(GenerationPath(i), GenerationPath(i + 1), overwrite: true);
                }
            }

            AtomicFile.Write(newest, content, Mode, _group);
            _lastGeneration = time.GetUtcNow();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.GenerationFailed(e, newest);
        }
    }

    /// <summary>The generations there are, newest first.</summary>
    public IEnumerable<string> Generations() =>
        Enumerable.Range(1, options.Generations).Select(GenerationPath).Where(File.Exists);

    /// <summary>Puts a damaged store aside under a name that nothing overwrites, and makes a good generation the store.</summary>
    /// <returns>The name it was kept under.</returns>
    public string ReplaceDamaged(ReadOnlySpan<byte> good)
    {
        string kept = $"{Path}.damaged-{time.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}";
        for (int i = 1; File.Exists(kept); i++)
        {
            kept = $"{Path}.damaged-{time.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}-{i}";
        }

        File.Copy(Path, kept);
        AtomicFile.Write(Path, good, Mode, _group);
        _known = Find();
        return kept;
    }

    public void RemoveLeftovers() => AtomicFile.RemoveLeftovers(Path);

    private string GenerationPath(int generation) => $"{Path}.good-{generation}";

    private Identity? Find() => FileStatus.Find(Path) is { } status
        ? new Identity(status.Inode, status.Size, File.GetLastWriteTimeUtc(Path))
        : null;

    private sealed record Identity(ulong Inode, ulong Size, DateTime Modified);
}
