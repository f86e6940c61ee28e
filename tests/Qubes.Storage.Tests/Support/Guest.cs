using Microsoft.Win32.SafeHandles;

namespace Qubes.Storage.Tests;

/// <summary>What a guest does with a disk: write patterns, read them back, through QEMU's own code where the image is qcow2.</summary>
internal static class Guest
{
    public const int Block = 65536;

    /// <summary>Fills a block with one byte value.</summary>
    public static async Task WriteAsync(BlockDevice disk, int block, byte value)
    {
        if (disk.Format == DiskFormat.Raw)
        {
            using SafeFileHandle file = File.OpenHandle(disk.Path, FileMode.Open, FileAccess.ReadWrite);
            byte[] data = new byte[Block];
            Array.Fill(data, value);
            RandomAccess.Write(file, data, (long)block * Block);
            return;
        }

        await Programs.RunAsync("qemu-io", "-f", "qcow2", "-c", $"write -P {value} {(long)block * Block} {Block}", disk.Path);
    }

    /// <summary>The byte a block is filled with; fails if it is not uniform.</summary>
    public static async Task<byte> ReadAsync(BlockDevice disk, int block)
    {
        string raw = disk.Path;
        if (disk.Format == DiskFormat.Qcow2)
        {
            raw = Path.GetTempFileName();
            await Programs.RunAsync("qemu-img", "convert", "-U", "-f", "qcow2", "-O", "raw", disk.Path, raw);
        }

        try
        {
            return ReadRaw(raw, block);
        }
        finally
        {
            if (raw != disk.Path)
            {
                File.Delete(raw);
            }
        }
    }

    public static byte ReadRaw(string path, int block)
    {
        byte[] data = new byte[Block];
        using SafeFileHandle file = File.OpenHandle(path);
        int length = RandomAccess.Read(file, data, (long)block * Block);
        byte[] expected = new byte[length];
        Array.Fill(expected, data[0]);
        Assert.Equal(expected, data.AsSpan(0, length).ToArray());
        return data[0];
    }

    /// <summary>The committed content, block by block.</summary>
    public static async Task<byte[]> CommittedAsync(Volume volume, int blocks)
    {
        await using VolumeExport export = await volume.ExportAsync();
        return [.. Enumerable.Range(0, blocks).Select(block => ReadRaw(export.Path, block))];
    }
}
