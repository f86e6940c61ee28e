using CsCheck;

namespace Qubes.Storage.Tests;

public sealed class Qcow2HeaderTests
{
    private static readonly Gen<Qcow2Header> Headers =
        from size in Gen.Long[0, VolumePlan.MaxSize >> 12]
        from name in Gen.Char['!', '~'].Array[1, 200]
        from isRaw in Gen.Bool
        select new Qcow2Header(size * 512, new string(name), isRaw ? DiskFormat.Raw : DiskFormat.Qcow2);

    [Fact]
    public void What_is_written_is_read_back() =>
        Headers.Sample(header => Assert.Equal(header, Qcow2Header.Parse(header.WriteEmptyImage().AsSpan(0, Qcow2Header.ClusterSize))));

    [Fact]
    public void Another_backing_file_changes_nothing_else() => Gen.Select(Headers, Headers).Sample((header, other) =>
    {
        byte[] image = header.WriteEmptyImage();
        byte[] changed = Qcow2Header.Rebase(image.AsSpan(0, Qcow2Header.ClusterSize), other.BackingName!, other.BackingFormat);
        Assert.Equal(other with { Size = header.Size }, Qcow2Header.Parse(changed));
        // Tables and counts stay where they were.
        Assert.Equal(image[20..100], changed[20..100]);
    });

    [Fact]
    public async Task Qemu_agrees_with_what_we_write()
    {
        string directory = Directory.CreateTempSubdirectory("qubes-qcow2-").FullName;
        try
        {
            using Linux.RootedDirectory root = Linux.RootedDirectory.Open(directory);
            await File.WriteAllBytesAsync(Path.Combine(directory, "base.img"), new byte[1 << 20]);
            foreach (long size in (long[])[0, 512, 1L << 20, 10L << 30, VolumePlan.MaxSize])
            {
                Qcow2File.CreateEmpty(root, "x.qcow2", new Qcow2Header(size, "base.img", DiskFormat.Raw), isDurable: true);
                string image = Path.Combine(directory, "x.qcow2");
                await Programs.RunAsync("qemu-img", "check", "-f", "qcow2", image);
                string info = await Programs.RunAsync("qemu-img", "info", "-f", "qcow2", "--output=json", image);
                Assert.Contains($"\"virtual-size\": {size}", info, StringComparison.Ordinal);
                Assert.Contains("\"backing-filename\": \"base.img\"", info, StringComparison.Ordinal);
                Assert.Contains("\"backing-filename-format\": \"raw\"", info, StringComparison.Ordinal);
                File.Delete(image);
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void Features_ours_never_have_are_refused()
    {
        byte[] image = new Qcow2Header(1 << 20, "base.img", DiskFormat.Raw).WriteEmptyImage();
        foreach ((int offset, byte value, string what) in ((int, byte, string)[])
            [(0, 0, "magic"), (7, 2, "version"), (23, 12, "cluster size"), (35, 1, "encryption"), (63, 1, "snapshots"), (79, 4, "data file"), (24, 0x7f, "size")])
        {
            byte[] changed = image[..Qcow2Header.ClusterSize];
            changed[offset] = value;
            Assert.True(Throws(changed), what);
        }
    }

    private static bool Throws(byte[] cluster)
    {
        try
        {
            Qcow2Header.Parse(cluster);
            return false;
        }
        catch (FormatException)
        {
            return true;
        }
    }
}
