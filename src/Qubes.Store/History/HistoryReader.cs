using System.Globalization;
using System.Text.Json;
using Qubes.Model.Changes;

namespace Qubes.Store.History;

/// <summary>
/// Reads the history of committed changes, the newest first. Lines that a crash cut, or that are in the middle of being written, are
/// passed over. Blocks on the disk: belongs on the thread pool.
/// </summary>
/// <param name="directory">Where the history lies, <see cref="QubesStore.HistoryDirectory"/>.</param>
public sealed class HistoryReader(string directory)
{
    private const int ChunkBytes = 64 << 10;
    private const int LongestLine = 32 << 20;
    private const string CutMark = "…";

    /// <summary>The value is not all there was.</summary>
    public static bool IsCut(string? value) => value is not null && value.EndsWith(CutMark, StringComparison.Ordinal);

    /// <summary>The entries below a revision (null: all), the newest first; reads on as far as they are taken.</summary>
    public IEnumerable<HistoryEntry> NewestFirst(long? before = null)
    {
        long last = before ?? long.MaxValue;
        foreach (string path in Files())
        {
            foreach (byte[] line in LinesBackwards(path))
            {
                // A file that is put aside while it is read would come a second time.
                if (TryParse(line) is { } entry && entry.Revision < last)
                {
                    last = entry.Revision;
                    yield return entry;
                }
            }
        }
    }

    /// <summary>The entry of one revision, or null if it is not kept.</summary>
    public HistoryEntry? Find(long revision) =>
        NewestFirst(revision == long.MaxValue ? null : revision + 1).FirstOrDefault() is { } entry && entry.Revision == revision ? entry : null;

    private IEnumerable<string> Files()
    {
        string current = Path.Combine(directory, "changes.jsonl");
        if (File.Exists(current))
        {
            yield return current;
        }

        for (int i = 1; ; i++)
        {
            string older = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"changes.{i}.jsonl"));
            if (!File.Exists(older))
            {
                yield break;
            }

            yield return older;
        }
    }

    private static IEnumerable<byte[]> LinesBackwards(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        long end = file.Length;
        byte[] rest = [];
        int chunk = ChunkBytes;
        while (end > 0)
        {
            int length = (int)Math.Min(chunk, end);
            end -= length;
            byte[] buffer = new byte[length + rest.Length];
            file.Seek(end, SeekOrigin.Begin);
            file.ReadExactly(buffer, 0, length);
            rest.CopyTo(buffer, length);
            int to = buffer.Length;
            for (int at; (at = buffer.AsSpan(0, to).LastIndexOf((byte)'\n')) >= 0; to = at)
            {
                if (at + 1 < to)
                {
                    yield return buffer[(at + 1)..to];
                }
            }

            rest = buffer[..to];
            if (rest.Length > LongestLine)
            {
                yield break;
            }

            // A line longer than what was read is read in ever larger pieces, not copied for each small one.
            chunk = Math.Max(ChunkBytes, rest.Length);
        }

        if (rest.Length > 0)
        {
            yield return rest;
        }
    }

    private static HistoryEntry? TryParse(byte[] line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            return new HistoryEntry(
                root.GetProperty("revision").GetInt64(),
                root.GetProperty("when").GetDateTimeOffset(),
                root.GetProperty("who").GetString() ?? "",
                root.GetProperty("call").GetString() ?? "",
                [
                    .. root.GetProperty("changes").EnumerateArray().Select(change => new ChangeRecord(
                        change.GetProperty("subject").GetString() ?? "",
                        change.GetProperty("item").GetString() ?? "",
                        change.GetProperty("before").GetString(),
                        change.GetProperty("after").GetString())),
                ]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }
}
