using Qubes.Model.Volumes;

namespace Qubes.Storage.Tests;

/// <summary>A volume of another pool, off the file system under test, with given raw content.</summary>
internal sealed class PoolSource : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-source-").FullName;

    public PoolSource(string rawFile)
    {
        StorageService storage = new(new StorageEnvironment { Paths = new Linux.QubesPaths(_directory) });
        storage.Add(new PoolConfig
        {
            Name = "source", Driver = "file-reflink", Options = [new("dir_path", _directory), new("setup_check", "False")],
        });
        Directory.CreateDirectory(Path.Combine(_directory, "appvms/source"));
        File.Move(rawFile, Path.Combine(_directory, "appvms/source/private.img"));
        Volume = storage.Open(new VolumeConfig { Name = "private", Pool = "source", Vid = "appvms/source/private", Rw = true, SaveOnStop = true });
    }

    public Volume Volume { get; }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }
}
