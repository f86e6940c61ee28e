using System.Buffers.Binary;
using System.Text;

namespace Qubes.Storage;

/// <summary>
/// What we write into, and allow in, the header of a qcow2 image. An image comes back from a hypervisor process that may have been
/// taken over by its guest, so nothing in it is believed: names of other files least of all.
/// </summary>
/// <remarks>
/// Big endian. magic "QFI\xfb" @0 · version u32 @4 (3) · backing name: offset u64 @8, length u32 @16 · cluster bits u32 @20 · size u64 @24 ·
/// encryption u32 @32 · L1 entries u32 @36 · L1 offset u64 @40 · refcount table: offset u64 @48, clusters u32 @56 · snapshots: count u32 @60,
/// offset u64 @64 · incompatible features u64 @72 · compatible u64 @80 · autoclear u64 @88 · refcount order u32 @96 · header length u32 @100.
/// Then extensions (type u32, length u32, data padded to 8), ended by type 0; type 0xE2792ACA holds the backing file's format.
/// </remarks>
/// <param name="Size">Bytes the guest sees.</param>
/// <param name="BackingName">Relative to the image; null for none.</param>
/// <param name="BackingFormat">Always known when there is a backing file.</param>
internal sealed record Qcow2Header(long Size, string? BackingName, DiskFormat BackingFormat)
{
    public const int ClusterBits = 16;
    public const int ClusterSize = 1 << ClusterBits;

    /// <summary>Bytes of guest data one entry of the first-level table leads to.</summary>
    private const long BytesPerL1Entry = (long)ClusterSize * (ClusterSize / 8);

    private const uint Magic = 0x514649fb;
    private const uint BackingFormatType = 0xE2792ACA;
    private const int HeaderLength = 104;
    private const int MaxBackingName = 1023;

    // Dirty and corrupt are repaired or refused by the tools; an external data file or another compression never was ours.
    private const ulong AllowedIncompatible = 0x1;

    /// <summary>Length of an image without guest data: header, refcount table, refcount block, first-level table.</summary>
    public static long EmptyLength(long size) => (3 + L1Clusters(size)) * ClusterSize;

    /// <summary>The content of an image without guest data, but for its last zeros.</summary>
    public byte[] WriteEmptyImage()
    {
        int clusters = (int)(EmptyLength(Size) / ClusterSize);
        byte[] image = new byte[2 * ClusterSize + (clusters * 2)];
        WriteHeaderCluster(image);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(36), (uint)Math.Max(1, DivideUp(Size, BytesPerL1Entry)));
        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(40), 3 * ClusterSize);
        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(48), ClusterSize);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(56), 1);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(96), 4);
        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(ClusterSize), 2 * ClusterSize);
        for (int i = 0; i < clusters; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(image.AsSpan((2 * ClusterSize) + (i * 2)), 1);
        }

        return image;
    }

    /// <summary>The first cluster of an existing image with backing file and nothing else changed.</summary>
    public static byte[] Rebase(ReadOnlySpan<byte> cluster, string backingName, DiskFormat backingFormat)
    {
        Qcow2Header header = Parse(cluster) with { BackingName = backingName, BackingFormat = backingFormat };
        byte[] changed = new byte[ClusterSize];
        cluster[..HeaderLength].CopyTo(changed);
        header.WriteHeaderCluster(changed);
        // Other than name and format only the fixed fields stay; ours are the images, we know of no extension worth keeping.
        cluster[20..100].CopyTo(changed.AsSpan(20));
        return changed;
    }

    /// <exception cref="FormatException">No qcow2 image, or one with features ours never have.</exception>
    public static Qcow2Header Parse(ReadOnlySpan<byte> untrustedCluster)
    {
        if (untrustedCluster.Length < HeaderLength || BinaryPrimitives.ReadUInt32BigEndian(untrustedCluster) != Magic)
        {
            throw new FormatException("Not a qcow2 image.");
        }

        int headerLength = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(untrustedCluster[100..]), int.MaxValue);
        long size = BinaryPrimitives.ReadInt64BigEndian(untrustedCluster[24..]);
        if (BinaryPrimitives.ReadUInt32BigEndian(untrustedCluster[4..]) != 3
            || BinaryPrimitives.ReadUInt32BigEndian(untrustedCluster[20..]) != ClusterBits
            || BinaryPrimitives.ReadUInt32BigEndian(untrustedCluster[32..]) != 0
            || BinaryPrimitives.ReadUInt32BigEndian(untrustedCluster[60..]) != 0
            || (BinaryPrimitives.ReadUInt64BigEndian(untrustedCluster[72..]) & ~AllowedIncompatible) != 0
            || headerLength < HeaderLength || headerLength % 8 != 0 || headerLength > untrustedCluster.Length
            || size is < 0 or > VolumePlan.MaxSize)
        {
            throw new FormatException("The qcow2 image has features that images of qubes do not have.");
        }

        string? format = ReadBackingFormat(untrustedCluster, headerLength);
        string? name = ReadBackingName(untrustedCluster);
        if (name is null)
        {
            return new Qcow2Header(size, BackingName: null, DiskFormat.Raw);
        }

        return format switch
        {
            "raw" => new Qcow2Header(size, name, DiskFormat.Raw),
            "qcow2" => new Qcow2Header(size, name, DiskFormat.Qcow2),
            _ => throw new FormatException("The qcow2 image does not say its backing file's format."),
        };
    }

    private static string? ReadBackingName(ReadOnlySpan<byte> cluster)
    {
        ulong offset = BinaryPrimitives.ReadUInt64BigEndian(cluster[8..]);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(cluster[16..]);
        if (offset == 0)
        {
            return null;
        }

        if (length is 0 or > MaxBackingName || offset > (ulong)cluster.Length || length > (ulong)cluster.Length - offset)
        {
            throw new FormatException("The backing file's name lies outside of the header.");
        }

        ReadOnlySpan<byte> name = cluster.Slice((int)offset, (int)length);
        return name.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e)
            ? throw new FormatException("The backing file's name has unexpected characters.")
            : Encoding.ASCII.GetString(name);
    }

    private static string? ReadBackingFormat(ReadOnlySpan<byte> cluster, int at)
    {
        while (at <= cluster.Length - 8)
        {
            uint type = BinaryPrimitives.ReadUInt32BigEndian(cluster[at..]);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(cluster[(at + 4)..]);
            if (type == 0)
            {
                return null;
            }

            if (length > cluster.Length - at - 8)
            {
                throw new FormatException("An extension of the qcow2 header is too long.");
            }

            if (type == BackingFormatType)
            {
                return Encoding.ASCII.GetString(cluster.Slice(at + 8, (int)length));
            }

            at += 8 + (int)((length + 7) & ~7u);
        }

        return null;
    }

    private static long L1Clusters(long size) => Math.Max(1, DivideUp(DivideUp(size, BytesPerL1Entry) * 8, ClusterSize));

    private static long DivideUp(long value, long by) => (value + by - 1) / by;

    private void WriteHeaderCluster(Span<byte> cluster)
    {
        BinaryPrimitives.WriteUInt32BigEndian(cluster, Magic);
        BinaryPrimitives.WriteUInt32BigEndian(cluster[4..], 3);
        BinaryPrimitives.WriteUInt32BigEndian(cluster[20..], ClusterBits);
        BinaryPrimitives.WriteInt64BigEndian(cluster[24..], Size);
        BinaryPrimitives.WriteUInt32BigEndian(cluster[100..], HeaderLength);
        BinaryPrimitives.WriteUInt64BigEndian(cluster[8..], 0);
        BinaryPrimitives.WriteUInt32BigEndian(cluster[16..], 0);
        int at = HeaderLength;
        if (BackingName is not null)
        {
            byte[] format = BackingFormat == DiskFormat.Raw ? "raw"u8.ToArray() : "qcow2"u8.ToArray();
            BinaryPrimitives.WriteUInt32BigEndian(cluster[at..], BackingFormatType);
            BinaryPrimitives.WriteUInt32BigEndian(cluster[(at + 4)..], (uint)format.Length);
            format.CopyTo(cluster[(at + 8)..]);
            at += 8 + 8;
            at += 8; // end of extensions
            byte[] name = Encoding.ASCII.GetBytes(BackingName);
            if (name.Length > MaxBackingName)
            {
                throw new FormatException("The backing file's name is too long.");
            }

            name.CopyTo(cluster[at..]);
            BinaryPrimitives.WriteUInt64BigEndian(cluster[8..], (ulong)at);
            BinaryPrimitives.WriteUInt32BigEndian(cluster[16..], (uint)name.Length);
        }
    }
}
