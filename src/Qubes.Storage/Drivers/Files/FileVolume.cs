using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>What volumes of both file drivers share. All paths are relative to the pool's directory.</summary>
internal abstract class FileVolume : Volume
{
    /// <summary>In the names of working copies.</summary>
    protected const string DirtyMark = "-dirty.";

    /// <summary>Ends the names of what keeps the base of a snapshot's working copy.</summary>
    protected const string PinSuffix = "-base";

    private const string TemporaryMark = "~";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // There is another account only where we are root.
    private const uint RootGroup = 0;

    private protected FileVolume(FilePool pool, VolumeConfig config)
        : base(pool, config)
    {
        Base = VolumeNames.CheckedFileVid(config.Vid ?? "");
        QubeDirectory = Base[..Base.LastIndexOf('/')];
        if (config.Source is { } source)
        {
            VolumeNames.CheckedFileVid(source);
        }
    }

    protected FilePool Place => (FilePool)Pool;

    protected RootedDirectory Root => Place.Root;

    /// <summary>What all file names of the volume begin with: the vid.</summary>
    protected string Base { get; }

    protected string QubeDirectory { get; }

    /// <summary>The working copy: what a running qube writes to.</summary>
    protected abstract string Dirty { get; }

    /// <summary>Where an import is written to, raw.</summary>
    protected string Import => Base + "-import.img";

    /// <summary>A name for a file still being made; removed by <see cref="RemoveLeftovers"/> if it stays.</summary>
    protected static string Temporary(string path) => path + TemporaryMark + KernelRandom.HexString(8);

    /// <summary>Whether a file is one that a stop deals with: a working copy, what pins its base, or one being made.</summary>
    internal static bool IsWorkFile(string name) =>
        name.Contains(TemporaryMark, StringComparison.Ordinal) || name.Contains(DirtyMark, StringComparison.Ordinal)
        || name.EndsWith(PinSuffix, StringComparison.Ordinal);

    protected void EnsureQubeDirectory()
    {
        Root.CreateDirectory(QubeDirectory[..QubeDirectory.IndexOf('/', StringComparison.Ordinal)], FilePool.DirectoryMode);
        Root.CreateDirectory(QubeDirectory, FilePool.DirectoryMode);
    }

    /// <summary>Names of this volume's files, temporary ones included, without directory.</summary>
    protected IEnumerable<string> ListFiles()
    {
        string name = Base[(QubeDirectory.Length + 1)..];
        return Root.List(QubeDirectory).Where(file =>
            file.Length > name.Length
            && file.StartsWith(name, StringComparison.Ordinal)
            // root.img and root-dirty.img, but not those of a volume called rootfs.
            && file[name.Length] is '.' or '-');
    }

    /// <summary>Removes what operations that never came to their end have left.</summary>
    protected void RemoveLeftovers(bool alsoImport)
    {
        foreach (string file in ListFiles())
        {
            string path = $"{QubeDirectory}/{file}";
            if ((file.Contains(TemporaryMark, StringComparison.Ordinal) && !Place.Exports.ContainsKey(path)) || (alsoImport && path == Import))
            {
                Root.Remove(path);
            }
        }
    }

    /// <summary>
    /// Only what keeps its content takes a new one. Not while there is a working copy of the old: a running qube goes on with that, and it
    /// becomes the content at its stop.
    /// </summary>
    protected void CheckImport()
    {
        if (Kind != VolumeKind.Origin)
        {
            throw NotSupported("Import");
        }

        if (Root.Exists(Dirty))
        {
            throw QubesErrors.StoragePool($"Volume {Vid} must be stopped before its data is replaced");
        }
    }

    /// <summary>A name for an export; it stays until <see cref="EndExportAsync"/>, or the end of the daemon.</summary>
    protected string NewExportName()
    {
        string name = Temporary(Base + "-export.img");
        Place.Exports.TryAdd(name, true);
        return name;
    }

    protected Task EndExportAsync(params IReadOnlyList<string> names) => Task.Run(() =>
    {
        foreach (string name in names)
        {
            Root.Remove(name);
            Place.Exports.TryRemove(name, out _);
        }
    });

    /// <summary>A new file of zeros that takes no space, durable on return (its name is not).</summary>
    protected void CreateSparse(string path, long size)
    {
        using SafeFileHandle file = Root.Create(path);
        FileContent.SetLength(file, size);
        FileContent.Sync(file);
    }

    /// <summary>Makes the file that an import is written to by the service that has the data, which need not be root's.</summary>
    protected void CreateImport(long size)
    {
        CreateSparse(Import, size);
        if (Place.Account is { } account)
        {
            Root.SetAccess(Import, account.Group, OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        }
    }

    /// <summary>What was written is about to be content: nobody else writes to that.</summary>
    protected void CloseImport()
    {
        if (Place.Account is not null)
        {
            Root.SetAccess(Import, RootGroup, OwnerOnly);
        }
    }

    /// <summary>Copies into a new file: sharing blocks where possible, else sparsely.</summary>
    /// <param name="keepTime">The copy gets the source's modification time, by which a later look tells whether it was written to.</param>
    /// <param name="isDurable">Its content must survive a power cut.</param>
    protected static void Copy(
        SafeFileHandle source, RootedDirectory root, string to, long? size, long? keepTime, bool isDurable, CancellationToken cancellationToken)
    {
        using SafeFileHandle target = root.Create(to);
        if (!FileContent.TryClone(source, target))
        {
            FileContent.CopySparse(source, target, cancellationToken);
        }

        if (size is { } length)
        {
            FileContent.SetLength(target, length);
        }

        if (keepTime is { } time)
        {
            FileContent.SetModified(target, time);
        }

        if (isDurable)
        {
            FileContent.Sync(target);
        }
    }

    private protected override Task<VolumeStatus> ReadStatusAsync() => Task.FromResult(ReadStatus());

    private protected abstract VolumeStatus ReadStatus();

    private protected override Task RemoveCoreAsync(CancellationToken cancellationToken)
    {
        Place.Intents.Settle();
        // The committed state last: as long as it is listed the removal was not completed.
        IReadOnlyList<string> files = [.. ListFiles().Select(file => $"{QubeDirectory}/{file}").OrderBy(IsCommittedState)];
        if (files.Count > 0)
        {
            using Intent intent = Place.Intents.Begin("remove", Vid);
            intent.Carry([.. files.Select(IntentStep.Remove), IntentStep.RemoveDirectory(QubeDirectory)]);
        }

        return Task.CompletedTask;
    }

    /// <summary>The file that says that the volume exists.</summary>
    private protected abstract bool IsCommittedState(string path);
}
