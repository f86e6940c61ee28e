using System.Text.Json;
using Qubes.Model.Volumes;

namespace Qubes.Storage;

/// <summary>What stands in the file of a <see cref="QubeDataIntent"/>.</summary>
/// <remarks><c>{"version":1,"qube":"appvms/work","volumes":[["root","varlibqubes","appvms/work/root"],…]}</c></remarks>
internal sealed record QubeDataRecord(string QubeDirectory, IReadOnlyList<VolumeConfig> Volumes)
{
    private const int Version = 1;

    public byte[] Write()
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", Version);
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
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>The volumes come back with nothing but name and place, which is enough to remove them.</summary>
    /// <exception cref="FormatException">Not a record of this version.</exception>
    public static QubeDataRecord Parse(ReadOnlyMemory<byte> untrustedContent)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(untrustedContent, new JsonDocumentOptions { MaxDepth = 4 });
            JsonElement root = document.RootElement;
            if (root.GetProperty("version").GetInt32() != Version)
            {
                throw new FormatException("The intent was written by another version.");
            }

            return new QubeDataRecord(
                Text(root.GetProperty("qube")),
                [.. root.GetProperty("volumes").EnumerateArray().Select(volume => new VolumeConfig
                {
                    Name = Text(volume[0]), Pool = Text(volume[1]), Vid = Text(volume[2]),
                })]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            throw new FormatException("The intent is damaged.", e);
        }
    }

    private static string Text(JsonElement element) => element.GetString() ?? throw new FormatException("The intent is damaged.");
}
