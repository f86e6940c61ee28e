using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Qubes.Model.Changes;

namespace Qubes.Store.History;

/// <summary>
/// The append-only history of committed changes, one JSON object a line, oldest file last:
/// <c>changes.jsonl</c>, <c>changes.1.jsonl</c>, ….
/// <code>
/// {"revision":N,"when":"ISO 8601","who":"QUBE","call":"METHOD+ARG","changes":[{"subject":"","item":"","before":null,"after":""}*]}
/// </code>
/// One writer at a time; the history may be flushed beside it. A line is written before its change is acknowledged. The journal has it too, durably,
/// and lines that a crash kept out of the history are added from there at the next start; the history is forced to disk before the journal lets go of them.
/// </summary>
internal sealed class ChangeHistory(StoreOptions options)
{
    private const string CurrentName = "changes.jsonl";

    // A single value is cut here: the history tells what changed, it is not a backup.
    private const int MaxValueLength = 4096;

    // The start of a line that holds the revision.
    private const int RevisionLength = 48;
    private const int ShortTail = 64 << 10;
    private const int LongTail = 4 << 20;

    // What a full disk did not take is kept in memory up to here.
    private const int MostOwed = 4 << 20;

    private readonly Lock _writing = new();
    private readonly ArrayBufferWriter<byte> _owed = new();
    private readonly string _path = Path.Combine(options.HistoryDirectory, CurrentName);

    /// <summary>Encodes one commit; runs on the model loop.</summary>
    public static void Encode(ModelChange change, IBufferWriter<byte> output)
    {
        using (Utf8JsonWriter json = new(output))
        {
            json.WriteStartObject();
            json.WriteNumber("revision"u8, change.Revision);
            json.WriteString("when"u8, change.Origin?.When ?? default);
            json.WriteString("who"u8, change.Origin?.Who ?? "qubesd");
            json.WriteString("call"u8, Cut(change.Origin?.Call));
            json.WriteStartArray("changes"u8);
            foreach (ChangeRecord record in change.Records)
            {
                json.WriteStartObject();
                json.WriteString("subject"u8, record.Subject);
                json.WriteString("item"u8, Cut(record.Item));
                json.WriteString("before"u8, Cut(record.Before));
                json.WriteString("after"u8, Cut(record.After));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    /// <summary>Appends encoded commits, behind those the disk did not take before.</summary>
    /// <exception cref="IOException">
    /// The disk takes nothing. The file is as it was; the lines come with the next ones, unless too many wait already.
    /// </exception>
    public void Append(ReadOnlySpan<byte> lines)
    {
        using Lock.Scope writing = _writing.EnterScope();
        ReadOnlySpan<byte> all = _owed.WrittenCount == 0 ? lines : [.. _owed.WrittenSpan, .. lines];
        if (all.IsEmpty)
        {
            return;
        }

        try
        {
            AppendWhole(all);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_owed.WrittenCount + lines.Length <= MostOwed)
            {
                _owed.Write(lines);
            }

            throw;
        }

        _owed.Clear();
        if (new FileInfo(_path).Length > options.HistoryFileSize)
        {
            FlushFile();
            Rotate();
        }
    }

    /// <summary>Appends those lines whose revision is above <paramref name="last"/>.</summary>
    /// <returns>The revision of the last line there is then.</returns>
    public long AppendMissing(ReadOnlySpan<byte> lines, long last)
    {
        foreach (Range range in lines.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = lines[range];
            long revision = RevisionOf(Encoding.UTF8.GetString(line[..Math.Min(line.Length, RevisionLength)]));
            if (revision > last)
            {
                Append([.. line, (byte)'\n']);
                last = revision;
            }
        }

        return last;
    }

    /// <summary>Forces to disk what was appended, and what is still to be.</summary>
    public void Flush()
    {
        Append(default);
        FlushFile();
    }

    /// <summary>
    /// The revision of the last line; 0 without one. A line cut short by a crash is ended, so that the next one stands alone.
    /// </summary>
    public long Recover(bool isReadOnly = false)
    {
        if (!File.Exists(_path))
        {
            return LastRevision(PathOf(1));
        }

        long revision = LastRevision(_path);
        if (isReadOnly)
        {
            return revision > 0 ? revision : LastRevision(PathOf(1));
        }

        using FileStream file = new(_path, FileMode.Open, FileAccess.ReadWrite);
        if (file.Length > 0)
        {
            file.Seek(-1, SeekOrigin.End);
            if (file.ReadByte() != '\n')
            {
                file.Write("\n"u8);
                file.Flush(flushToDisk: true);
            }
        }

        return revision > 0 ? revision : LastRevision(PathOf(1));
    }

    private static string? Cut(string? text) => text is { Length: > MaxValueLength } ? string.Concat(text.AsSpan(0, MaxValueLength), "…") : text;

    private static long LastRevision(string path)
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        // Lines are short but for commits of very many changes.
        using FileStream file = File.OpenRead(path);
        long revision = LastRevision(file, ShortTail);
        return revision > 0 ? revision : LastRevision(file, LongTail);
    }

    private static long LastRevision(FileStream file, int length)
    {
        byte[] tail = new byte[Math.Min(file.Length, length)];
        file.Seek(-tail.Length, SeekOrigin.End);
        file.ReadExactly(tail);
        long revision = 0;
        foreach (string line in Encoding.UTF8.GetString(tail).Split('\n'))
        {
            revision = Math.Max(revision, RevisionOf(line));
        }

        return revision;
    }

    // Enough of the line is known to read the number without parsing what a crash may have cut.
    private static long RevisionOf(string line)
    {
        const string start = "{\"revision\":";
        if (!line.StartsWith(start, StringComparison.Ordinal))
        {
            return 0;
        }

        int end = line.IndexOf(',', StringComparison.Ordinal);
        return end > 0 && long.TryParse(line.AsSpan(start.Length, end - start.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long revision)
            ? revision
            : 0;
    }

    private void AppendWhole(ReadOnlySpan<byte> lines)
    {
        Directory.CreateDirectory(options.HistoryDirectory);
        using FileStream file = new(_path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.Read,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
        });
        long end = file.Length;
        try
        {
            file.Write(lines);
        }
        catch (IOException)
        {
            // A part of a line would take the next one with it.
            file.SetLength(end);
            throw;
        }
    }

    private void FlushFile()
    {
        if (File.Exists(_path))
        {
            using FileStream file = new(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
            file.Flush(flushToDisk: true);
        }
    }

    private string PathOf(int generation) => Path.Combine(
        options.HistoryDirectory, string.Create(CultureInfo.InvariantCulture, $"changes.{generation}.jsonl"));

    private void Rotate()
    {
        for (int i = options.HistoryFiles - 1; i >= 1; i--)
        {
            if (File.Exists(PathOf(i)))
            {
                File.Move(PathOf(i), PathOf(i + 1), overwrite: true);
            }
        }

        File.Move(_path, PathOf(1), overwrite: true);
    }
}
