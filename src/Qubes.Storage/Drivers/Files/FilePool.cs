using System.Collections.Concurrent;
using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>A pool whose volumes are files beneath one directory: <c>DIR/appvms/QUBE/VOLUME…</c>, <c>DIR/vm-templates/QUBE/VOLUME…</c>.</summary>
internal abstract class FilePool : Pool
{
    internal const UnixFileMode DirectoryMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private static readonly string[] Prefixes = ["appvms", "vm-templates"];

    private protected FilePool(PoolConfig config, PoolDriverInfo driver, StorageEnvironment environment, FilePoolState? state)
        : base(config, driver, environment, state ?? new FilePoolState(CheckedPath(config), environment.Log)) =>
        DirectoryPath = CheckedPath(config);

    public override string DirectoryPath { get; }

    internal RootedDirectory Root => Files.Root;

    internal IntentLog Intents => Files.Intents;

    /// <summary>Paths of exports in use, which look like leftovers.</summary>
    internal ConcurrentDictionary<string, bool> Exports => Files.Exports;

    internal TimeProvider Clock => Environment.Clock;

    internal DaemonAccount? Account => Environment.Account;

    private protected FilePoolState Files => (FilePoolState)State;

    public override string NewVid(string qubeDirectory, string volumeName) =>
        VolumeNames.CheckedFileVid($"{qubeDirectory}/{volumeName}");

    public override Task SetupAsync(CancellationToken cancellationToken = default) => Task.Run(
        () =>
        {
            // One level only, as upstream: a missing parent is more likely a typing error than a wish.
            bool isNew = !Directory.Exists(DirectoryPath);
            if (isNew)
            {
                _ = CheckedParent();
                Directory.CreateDirectory(DirectoryPath, DirectoryMode);
            }

            try
            {
                Probe(Root);
            }
            catch when (isNew)
            {
                Directory.Delete(DirectoryPath);
                throw;
            }

            foreach (string prefix in Prefixes)
            {
                Root.CreateDirectory(prefix, DirectoryMode);
            }
        },
        cancellationToken);

    public override Task<int> RecoverAsync(CancellationToken cancellationToken = default) => Task.Run(
        () => Directory.Exists(DirectoryPath) ? Intents.Replay() : 0,
        cancellationToken);

    public override Task<PoolUsage?> GetUsageAsync(CancellationToken cancellationToken = default) => Task.Run(
        () =>
        {
            if (!Directory.Exists(DirectoryPath))
            {
                return (PoolUsage?)null;
            }

            FileSystemStatus space = Root.FileSystem();
            return new PoolUsage(space.Size, space.Used);
        },
        cancellationToken);

    public override Task<IReadOnlyList<string>> ListVidsAsync(CancellationToken cancellationToken = default) => Task.Run(
        () =>
        {
            SortedSet<string> vids = new(StringComparer.Ordinal);
            foreach (string prefix in Prefixes)
            {
                foreach (string qube in Root.List(prefix))
                {
                    foreach (string file in Root.List($"{prefix}/{qube}"))
                    {
                        if (VolumeOf(file) is { } name && VolumeNames.IsFileVid($"{prefix}/{qube}/{name}"))
                        {
                            vids.Add($"{prefix}/{qube}/{name}");
                        }
                    }
                }
            }

            return (IReadOnlyList<string>)[.. vids];
        },
        cancellationToken);

    internal override IReadOnlySet<string> ListDirectoriesInUse()
    {
        HashSet<string> found = new(StringComparer.Ordinal);
        if (!Directory.Exists(DirectoryPath))
        {
            return found;
        }

        foreach (string prefix in Prefixes)
        {
            foreach (string qube in Root.List(prefix))
            {
                string directory = $"{prefix}/{qube}";
                if (Root.List(directory).Any(FileVolume.IsWorkFile))
                {
                    found.Add(directory);
                }
            }
        }

        return found;
    }

    /// <summary>The name of the volume whose committed state this file is; null for all other files.</summary>
    private protected abstract string? VolumeOf(string fileName);

    /// <summary>Refuses a place the driver cannot work in.</summary>
    private protected abstract void Probe(RootedDirectory root);

    private static string CheckedPath(PoolConfig config)
    {
        string path = config["dir_path"] ?? "";
        return Path.IsPathFullyQualified(path) && !path.AsSpan().ContainsAnyInRange('\0', '\x1f')
            ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))
            : throw QubesErrors.StoragePool("dir_path must be an absolute path");
    }

    private string CheckedParent()
    {
        string parent = Path.GetDirectoryName(DirectoryPath) ?? "/";
        return Directory.Exists(parent) ? parent : throw QubesErrors.StoragePool("The directory above dir_path is missing");
    }
}
