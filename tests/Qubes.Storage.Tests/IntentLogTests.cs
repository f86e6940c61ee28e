using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Linux;

namespace Qubes.Storage.Tests;

public sealed class IntentLogTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-intents-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_record_that_cannot_be_written_leaves_no_file()
    {
        using RootedDirectory root = RootedDirectory.Open(_directory);
        IntentLog intents = new(root, NullLogger.Instance);
        string target = Path.Combine(_directory, IntentLog.DirectoryName, "x.json");
        // A directory is not replaced by a file.
        Directory.CreateDirectory(target);
        Assert.ThrowsAny<Exception>(() => intents.Save($"{IntentLog.DirectoryName}/x.json", new IntentRecord("test", "volume", IsDecided: false, [], [])));
        Assert.Equal([target], Directory.GetFileSystemEntries(Path.GetDirectoryName(target)!));
    }
}
