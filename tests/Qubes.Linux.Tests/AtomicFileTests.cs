using System.Text;
using CsCheck;

namespace Qubes.Linux.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void What_is_written_is_what_is_read() =>
        Gen.Byte.Array[0, 20_000].Sample(content =>
        {
            AtomicFile.Write(_directory["file"], content, OwnerAndGroup);
            return File.ReadAllBytes(_directory["file"]).AsSpan().SequenceEqual(content);
        }, iter: 30, threads: 1);

    [Fact]
    public async Task Mode_and_group_are_those_asked_for_whatever_the_umask()
    {
        var group = FileStatus.Find(_directory.Path)!.Value.GroupId;
        await AtomicFile.WriteAsync(_directory["file"], "x"u8.ToArray(), OwnerAndGroup, group);
        var status = FileStatus.Find(_directory["file"])!.Value;
        Assert.Equal(OwnerAndGroup, status.Permissions);
        Assert.Equal(group, status.GroupId);
    }

    [Fact]
    public void A_failed_write_leaves_the_old_content_and_no_temporary_file()
    {
        Directory.CreateDirectory(_directory["target"]);
        File.WriteAllBytes(_directory["target/child"], "old"u8.ToArray());
        // A file cannot be renamed over a directory: the last step fails.
        Assert.Throws<LinuxException>(() => AtomicFile.Write(_directory["target"], "new"u8, OwnerAndGroup));
        Assert.Equal("old", File.ReadAllText(_directory["target/child"]));
        Assert.Equal([_directory["target"]], Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public void A_missing_directory_is_reported_with_its_error_number()
    {
        var failure = Assert.Throws<LinuxException>(() => AtomicFile.Write(_directory["absent/file"], "x"u8, OwnerAndGroup));
        Assert.Equal(Errno.ENOENT, failure.Errno);
    }

    [Fact]
    public void Leftovers_of_a_crash_are_removed_and_other_files_are_not()
    {
        foreach (var name in new[] { ".file.0123456789ab.tmp", ".other.0123456789ab.tmp", "file", ".file" })
            File.WriteAllBytes(_directory[name], Encoding.ASCII.GetBytes(name));
        Assert.Equal(1, AtomicFile.RemoveLeftovers(_directory["file"]));
        Assert.Equal([".file", ".other.0123456789ab.tmp", "file"],
            Directory.GetFiles(_directory.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Readers_see_a_whole_generation_at_any_moment()
    {
        var path = _directory["file"];
        AtomicFile.Write(path, Generation(0), OwnerAndGroup);
        using var stop = new CancellationTokenSource();
        var reader = Task.Run(() =>
        {
            var torn = 0;
            while (!stop.IsCancellationRequested)
            {
                var content = File.ReadAllBytes(path);
                if (content.Length != 4096 || content.Distinct().Count() != 1)
                    torn++;
            }

            return torn;
        });
        for (var i = 1; i < 60; i++)
            AtomicFile.Write(path, Generation(i), OwnerAndGroup);
        stop.Cancel();
#pragma warning disable xUnit1031, VSTHRD002 // The writer is synchronous on purpose; the reader is told to stop.
        Assert.Equal(0, reader.Result);
#pragma warning restore xUnit1031, VSTHRD002

        static byte[] Generation(int number)
        {
            var content = new byte[4096];
            content.AsSpan().Fill((byte)number);
            return content;
        }
    }
}
