using System.Buffers;
using System.Buffers.Text;
using System.Globalization;

namespace Qubes.Protocol.Audit;

/// <summary>Writes records, each hashed onto the one before. The state after a record is the <see cref="AuditPosition"/>.</summary>
public sealed class AuditEncoder(AuditPosition position)
{
    private const string Hex = "0123456789abcdef";
    private readonly byte[] _hash = [.. position.Hash];
    private readonly byte[] _line = new byte[AuditFormat.LongestLine + 1];
    private long _sequence = position.Sequence;
    private int _length;

    /// <summary>The last record written.</summary>
    public AuditPosition Position => new(_sequence, [.. _hash]);

    public void Write(in AuditEntry entry, IBufferWriter<byte> output)
    {
        Begin(entry.Time);
        Text(",\"source\":"u8, entry.Source, AuditFormat.LongestArgument);
        Text(",\"call\":"u8, entry.Call, AuditFormat.LongestArgument);
        Text(",\"arg\":"u8, entry.Argument, AuditFormat.LongestArgument);
        Text(",\"target\":"u8, entry.Target, AuditFormat.LongestArgument);
        Text(",\"outcome\":"u8, entry.Outcome, AuditFormat.LongestArgument);
        Number(",\"us\":"u8, (long)entry.Duration.TotalMicroseconds);
        if (entry.Policy is { } policy)
        {
            Text(",\"policy\":"u8, policy, AuditFormat.LongestArgument);
        }

        if (entry.UserId is { } user)
        {
            Number(",\"uid\":"u8, user);
        }

        End(output);
    }

    public void WriteOpen(DateTime time, IBufferWriter<byte> output)
    {
        string previous = Convert.ToHexStringLower(_hash);
        Event(time, AuditEvents.Open);
        Text(",\"prev\":"u8, previous, 2 * AuditFormat.HashLength);
        End(output);
    }

    public void WriteStart(DateTime time, bool isAfterCleanStop, IBufferWriter<byte> output)
    {
        Event(time, AuditEvents.Start);
        Raw(isAfterCleanStop ? ",\"clean\":true"u8 : ",\"clean\":false"u8);
        End(output);
    }

    public void WriteStop(DateTime time, IBufferWriter<byte> output)
    {
        Event(time, AuditEvents.Stop);
        End(output);
    }

    public void WriteGap(DateTime time, long lost, string reason, IBufferWriter<byte> output)
    {
        Event(time, AuditEvents.Gap);
        Number(",\"lost\":"u8, lost);
        Text(",\"reason\":"u8, reason, AuditFormat.LongestArgument);
        End(output);
    }

    public void WriteTorn(DateTime time, ReadOnlySpan<char> fragment, IBufferWriter<byte> output)
    {
        Event(time, AuditEvents.Torn);
        Text(",\"fragment\":"u8, fragment, 4 * AuditFormat.LongestArgument);
        End(output);
    }

    public void WritePrune(DateTime time, long until, IBufferWriter<byte> output)
    {
        Event(time, AuditEvents.Prune);
        Number(",\"until\":"u8, until);
        End(output);
    }

    private void Event(DateTime time, string name)
    {
        Begin(time);
        Text(",\"event\":"u8, name, AuditFormat.LongestArgument);
    }

    private void Begin(DateTime time)
    {
        _length = 0;
        Number("{\"seq\":"u8, ++_sequence);
        Raw(",\"time\":\""u8);
        time.ToUniversalTime().TryFormat(_line.AsSpan(_length), out int written, "yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
        _length += written;
        Raw("\""u8);
    }

    private void End(IBufferWriter<byte> output)
    {
        AuditFormat.Hash(_hash, _line.AsSpan(0, _length), _hash);
        Raw(AuditFormat.HashKey);
        Convert.TryToHexStringLower(_hash, _line.AsSpan(_length), out int written);
        _length += written;
        Raw("\"}\n"u8);
        output.Write(_line.AsSpan(0, _length));
    }

    private void Number(ReadOnlySpan<byte> key, long value)
    {
        Raw(key);
        Utf8Formatter.TryFormat(value, _line.AsSpan(_length), out int written);
        _length += written;
    }

    // Printable ASCII but quote and backslash as it is, everything else as \u00XX or \uXXXX.
    private void Text(ReadOnlySpan<byte> key, ReadOnlySpan<char> text, int longest)
    {
        Raw(key);
        _line[_length++] = (byte)'"';
        foreach (char c in text.Length > longest ? text[..longest] : text)
        {
            if (c is >= ' ' and <= '~' and not '"' and not '\\')
            {
                _line[_length++] = (byte)c;
            }
            else
            {
                Raw([(byte)'\\', (byte)'u', (byte)Hex[c >> 12], (byte)Hex[(c >> 8) & 15], (byte)Hex[(c >> 4) & 15], (byte)Hex[c & 15]]);
            }
        }

        Raw(text.Length > longest ? "...\""u8 : "\""u8);
    }

    private void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_line.AsSpan(_length));
        _length += bytes.Length;
    }
}
