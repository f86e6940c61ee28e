namespace Qubes.Storage.Tests;

public sealed class ReflinkOnXfsTests(XfsFileSystem fileSystem) : FileDriverTests("file-reflink", fileSystem), IClassFixture<XfsFileSystem>
{
    [Fact]
    public async Task The_probe_chooses_reflinks() => Assert.Equal("file-reflink", await PoolDrivers.ChooseForAsync(fileSystem.NewDirectory()));
}

public sealed class ReflinkOnBtrfsTests(BtrfsFileSystem fileSystem) : FileDriverTests("file-reflink", fileSystem), IClassFixture<BtrfsFileSystem>;
