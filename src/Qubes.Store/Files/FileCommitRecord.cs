using System.Globalization;
using System.Text.Json;
using Qubes.Model.Changes;

namespace Qubes.Store.Files;

/// <summary>
/// What is written before files change with a commit, so that a crash leaves either both or none:
/// <code>
/// {"version":1,"after":REVISION,"when":"ISO 8601","who":"","call":"","files":[["PATH","NAME OF THE NEW CONTENT BESIDE IT"|null],...]}
/// </code>
/// The commit it belongs to has a higher revision and this origin. Null: the file goes.
/// </summary>
internal sealed record FileCommitRecord(long After, ChangeOrigin Origin, IReadOnlyList<KeyValuePair<string, string?>> Files)
{
    public const int MaxLength = 1 << 20;
    private const int Version = 1;
    private const int MaxDepth = 4;

    public byte[] Write()
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("version"u8, Version);
            json.WriteNumber("after"u8, After);
            json.WriteString("when"u8, Origin.When.ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("who"u8, Origin.Who);
            json.WriteString("call"u8, Origin.Call);
            json.WriteStartArray("files"u8);
            foreach ((string path, string? staged) in Files)
            {
                json.WriteStartArray();
                json.WriteStringValue(path);
                json.WriteStringValue(staged);
                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <exception cref="FormatException">Not a record of this version.</exception>
    public static FileCommitRecord Parse(ReadOnlyMemory<byte> untrustedContent)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(untrustedContent, new JsonDocumentOptions { MaxDepth = MaxDepth });
            JsonElement root = document.RootElement;
            if (root.GetProperty("version").GetInt32() != Version)
            {
                throw new FormatException("it was written by another version");
            }

            return new FileCommitRecord(
                root.GetProperty("after").GetInt64(),
                new ChangeOrigin(Text(root.GetProperty("who")), Text(root.GetProperty("call")), root.GetProperty("when").GetDateTimeOffset()),
                [.. root.GetProperty("files").EnumerateArray().Select(file => new KeyValuePair<string, string?>(
                    CheckPath(Text(file[0])), file[1].GetString() is { } staged ? CheckName(staged) : null))]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            throw new FormatException("it is damaged", e);
        }
    }

    private static string Text(JsonElement json) => json.GetString() ?? throw new FormatException("it is damaged");

    // DIRECTORY/QUBE/NAME: nothing outside of the directories of qubes is ever touched.
    private static string CheckPath(string untrustedPath) => untrustedPath.Split('/') is [_, _, _] parts && parts.All(IsName)
        ? untrustedPath
        : throw new FormatException("it names a file that belongs to no qube");

    private static string CheckName(string untrustedName) => IsName(untrustedName) ? untrustedName : throw new FormatException("it is damaged");

    private static bool IsName(string part) => part.Length > 0 && part is not ("." or "..") && !part.Contains('/', StringComparison.Ordinal) && !part.Any(char.IsControl);
}
