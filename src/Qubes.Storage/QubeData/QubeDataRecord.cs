using Qubes.Model.Volumes;

namespace Qubes.Storage;

/// <summary>What stands in the file of a <see cref="QubeDataIntent"/>.</summary>
/// <remarks><c>{"version":1,"qube":"appvms/work","volumes":[["root","varlibqubes","appvms/work/root"],…]}</c></remarks>
internal sealed record QubeDataRecord(string QubeDirectory, IReadOnlyList<VolumeConfig> Volumes)
{
    public byte[] Write() => RecordFrame.Write(writer =>
    {
        writer.WriteString("qube", QubeDirectory);
        writer.WriteStartArray("volumes");
        foreach (VolumeConfig volume in Volumes)
        {
            writer.WriteStartArray();
            writer.WriteStringValue(volume.Name);
            writer.WriteStringValue(volume.Pool);
            writer.WriteStringValue(volume.Vid);
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
    });

    /// <summary>The volumes come back with nothing but name and place, which is enough to remove them.</summary>
    /// <exception cref="FormatException">Not a record of this version.</exception>
    public static QubeDataRecord Parse(ReadOnlyMemory<byte> untrustedContent) => RecordFrame.Parse(untrustedContent, static root => new QubeDataRecord(
        RecordFrame.Text(root.GetProperty("qube")),
        [.. root.GetProperty("volumes").EnumerateArray().Select(volume => new VolumeConfig
        {
            Name = RecordFrame.Text(volume[0]), Pool = RecordFrame.Text(volume[1]), Vid = RecordFrame.Text(volume[2]),
        })]));
}
