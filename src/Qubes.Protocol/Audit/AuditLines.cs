namespace Qubes.Protocol.Audit;

/// <summary>Takes a file of the log apart.</summary>
public static class AuditLines
{
    /// <summary>One line.</summary>
    /// <param name="line">Without its line feed, valid only during the call; cut to one byte more than the longest there can be.</param>
    /// <param name="number">Counted from 1.</param>
    /// <param name="isWhole">False for a last line without line feed.</param>
    public delegate void Receiver(ReadOnlySpan<byte> line, long number, bool isWhole);

    /// <summary>Reads a stream to its end.</summary>
    public static void Read(Stream stream, Receiver receive)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(receive);
        byte[] buffer = new byte[4 * AuditFormat.LongestLine];
        int held = 0;
        long number = 0;
        bool isSkipping = false;
        while (true)
        {
            int read = stream.Read(buffer, held, buffer.Length - held);
            if (read == 0)
            {
                break;
            }

            held += read;
            int start = 0;
            while (buffer.AsSpan(start, held - start).IndexOf((byte)'\n') is var length and >= 0)
            {
                if (!isSkipping)
                {
                    receive(buffer.AsSpan(start, length), ++number, isWhole: true);
                }

                isSkipping = false;
                start += length + 1;
            }

            buffer.AsSpan(start, held - start).CopyTo(buffer);
            held -= start;
            if (held == buffer.Length)
            {
                // No record is so long: told once, then thrown away up to its end.
                if (!isSkipping)
                {
                    receive(buffer.AsSpan(0, AuditFormat.LongestLine + 1), ++number, isWhole: true);
                }

                isSkipping = true;
                held = 0;
            }
        }

        if (held > 0 && !isSkipping)
        {
            receive(buffer.AsSpan(0, held), ++number, isWhole: false);
        }
    }
}
