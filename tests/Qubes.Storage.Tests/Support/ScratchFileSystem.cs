namespace Qubes.Storage.Tests;

/// <summary>
/// A real file system of a wanted kind, in an image file, mounted for the tests of one class. Where it cannot be mounted (no root, no
/// loop devices, no mkfs) the tests say why they do not run.
/// </summary>
public abstract class ScratchFileSystem : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-storage-").FullName;
    private readonly string _kind;
    private readonly long _size;
    private string? _unavailable;
    private bool _isMounted;

    protected ScratchFileSystem(string kind, long sizeMiB)
    {
        _kind = kind;
        _size = sizeMiB << 20;
    }

    private string MountPoint => Path.Combine(_directory, "mnt");

    /// <summary>A fresh directory on it.</summary>
    public string NewDirectory()
    {
        string? path = TryNewDirectory(out string? unavailable);
        Assert.SkipWhen(path is null, unavailable ?? "");
        return path!;
    }

    /// <summary>As <see cref="NewDirectory"/>; null and the reason where there is no such file system.</summary>
    public string? TryNewDirectory(out string? unavailable)
    {
        unavailable = _unavailable;
        if (unavailable is not null)
        {
            return null;
        }

        string path = Path.Combine(MountPoint, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(path);
        return path;
    }

    public async ValueTask InitializeAsync()
    {
        try
        {
            Directory.CreateDirectory(MountPoint);
            string image = Path.Combine(_directory, "fs.img");
            await using (FileStream file = File.Create(image))
            {
                file.SetLength(_size);
            }

            await Programs.RunAsync("mkfs." + _kind, ["-q", .. _kind == "ext4" ? (string[])["-F"] : [], image]);
            await Programs.RunAsync("mount", ["-o", "loop", image, MountPoint]);
            _isMounted = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _unavailable = $"No {_kind} file system can be mounted here: {e.Message}";
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_isMounted)
        {
            // Detached at once; the kernel lets go of the loop device with the last open file.
            await Programs.RunAsync("umount", ["-l", MountPoint]);
        }

        Directory.Delete(_directory, recursive: true);
    }
}

public sealed class XfsFileSystem() : ScratchFileSystem("xfs", 512);

public sealed class BtrfsFileSystem() : ScratchFileSystem("btrfs", 512);

public sealed class Ext4FileSystem() : ScratchFileSystem("ext4", 512);
