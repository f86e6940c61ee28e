using Microsoft.Win32.SafeHandles;
using Qubes.Linux;

namespace Qubes.Storage;

/// <summary>qcow2 images as files. Empty ones are written here: starting a program for it would cost more than the rest of a start.</summary>
internal static class Qcow2File
{
    /// <summary>Makes an image without data of its own.</summary>
    public static void CreateEmpty(RootedDirectory root, string path, Qcow2Header header, bool isDurable)
    {
        using SafeFileHandle file = root.Create(path);
        RandomAccess.Write(file, header.WriteEmptyImage(), 0);
        FileContent.SetLength(file, Qcow2Header.EmptyLength(header.Size));
        if (isDurable)
        {
            FileContent.Sync(file);
        }
    }

    /// <exception cref="FormatException">See <see cref="Qcow2Header.Parse"/>.</exception>
    public static Qcow2Header ReadHeader(RootedDirectory root, string path)
    {
        using SafeFileHandle file = root.OpenRead(path);
        return Qcow2Header.Parse(ReadCluster(file));
    }

    /// <summary>
    /// Lets the image name another backing file that holds, under the image's own data, the same content. One write of the first
    /// block: it happens whole or not at all, and may be repeated.
    /// </summary>
    public static void Rebase(RootedDirectory root, string path, DiskFormat backingFormat, string backingName)
    {
        using SafeFileHandle file = root.OpenWrite(path);
        byte[] changed = Qcow2Header.Rebase(ReadCluster(file), backingName, backingFormat);
        // Header, extensions and a name of our making end far below one block; the rest of the cluster is zeros already.
        RandomAccess.Write(file, changed.AsSpan(0, 4096), 0);
        FileContent.Sync(file);
    }

    private static byte[] ReadCluster(SafeFileHandle file)
    {
        byte[] cluster = new byte[Qcow2Header.ClusterSize];
        int length = RandomAccess.Read(file, cluster, 0);
        return cluster.AsSpan(0, length).ToArray();
    }
}
