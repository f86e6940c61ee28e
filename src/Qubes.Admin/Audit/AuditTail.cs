using System.Text;
using Qubes.Protocol.Audit;

namespace Qubes.Admin.Audit;

/// <summary>Where an earlier run of the daemon has left the log.</summary>
internal sealed class AuditTail
{
    // Some records fit: one of them can be read even if the last one was damaged.
    private const int TailLength = 4 * AuditFormat.LongestLine;

    /// <summary>The file to go on with; null: a new one.</summary>
    public string? File { get; private init; }

    /// <summary>Its length without the piece of a line at its end.</summary>
    public long Length { get; private init; }

    /// <summary>That piece; empty if there is none.</summary>
    public string Fragment { get; private init; } = "";

    /// <summary>The last record.</summary>
    public AuditPosition Position { get; private init; } = AuditPosition.Beginning;

    /// <summary>The run before ended with its mark, or there was none.</summary>
    public bool IsClean { get; private init; } = true;

    public static AuditTail Find(string directory)
    {
        string fragment = "";
        foreach (string path in AuditFormat.Files(directory).Reverse())
        {
            AuditTail? found = FindIn(path, ref fragment);
            if (found is not null)
            {
                return found;
            }

            // Nothing in it can be read. It is kept, and what cannot be read is told of.
            fragment = fragment.Length > 0 ? fragment : "nothing in " + Path.GetFileName(path) + " can be read";
            System.IO.File.Move(path, FreeName(path + ".damaged"));
        }

        return new AuditTail { Fragment = fragment, IsClean = fragment.Length == 0 };
    }

    private static string FreeName(string path)
    {
        string free = path;
        for (int i = 1; System.IO.File.Exists(free); i++)
        {
            free = FormattableString.Invariant($"{path}-{i}");
        }

        return free;
    }

    private static AuditTail? FindIn(string path, ref string fragment)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] tail = new byte[Math.Min(file.Length, TailLength)];
        file.Seek(-tail.Length, SeekOrigin.End);
        file.ReadExactly(tail);
        int whole = tail.AsSpan().LastIndexOf((byte)'\n') + 1;
        if (whole < tail.Length)
        {
            fragment = Encoding.Latin1.GetString(tail.AsSpan(whole));
        }

        for (ReadOnlySpan<byte> rest = tail.AsSpan(0, whole); rest.Length > 0;)
        {
            ReadOnlySpan<byte> before = rest[..^1];
            int start = before.LastIndexOf((byte)'\n') + 1;
            if (AuditRecord.TryParse(before[start..], out AuditRecord? last))
            {
                return new AuditTail
                {
                    File = path,
                    Length = file.Length - (tail.Length - whole),
                    Fragment = fragment,
                    Position = new AuditPosition(last.Sequence, Convert.FromHexString(last.Hash)),
                    IsClean = last.Event == AuditEvents.Stop && fragment.Length == 0,
                };
            }

            rest = rest[..start];
        }

        return null;
    }
}
