using System.Text.Json;

namespace Qubes.Storage;

/// <summary>
/// What all records share that are written before a change and found again after a crash: one JSON object that begins with its version,
/// <c>{"version":1,…}</c>, and one way to refuse whatever is not that.
/// </summary>
internal static class RecordFrame
{
    private const int Version = 1;
    private const int MaxDepth = 4;

    /// <param name="writeFields">Writes the record's own fields.</param>
    public static byte[] Write(Action<Utf8JsonWriter> writeFields)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", Version);
            writeFields(writer);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <param name="untrustedContent">The file as it was found.</param>
    /// <param name="readFields">Reads the record's own fields; may throw what a wrong kind or a missing field throws.</param>
    /// <exception cref="FormatException">Not a record of this version.</exception>
    public static T Parse<T>(ReadOnlyMemory<byte> untrustedContent, Func<JsonElement, T> readFields)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(untrustedContent, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return document.RootElement.GetProperty("version").GetInt32() == Version
                ? readFields(document.RootElement)
                : throw new FormatException("The intent was written by another version.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            throw new FormatException("The intent is damaged.", e);
        }
    }

    public static string Text(JsonElement element) => element.GetString() ?? throw new FormatException("The intent is damaged.");
}
