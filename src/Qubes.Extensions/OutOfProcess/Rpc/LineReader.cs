namespace Qubes.Extensions.OutOfProcess.Rpc;

/// <summary>Cuts what a program writes into lines, none longer than a limit. Belongs to one reader.</summary>
public sealed class LineReader(Stream input, int maxLength)
{
    private const int InitialSize = 4096;

    private byte[] _buffer = new byte[Math.Min(InitialSize, maxLength + 1)];
    private int _start;
    private int _searched;
    private int _end;

    /// <summary>
    /// The next line without its LF, valid until the next call; null at the end of input. An unfinished last line is dropped: its
    /// writer died in the middle of it.
    /// </summary>
    /// <exception cref="RpcFormatException">The line is too long.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            int found = _buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                int from = _start;
                int end = _searched + found;
                _start = _searched = end + 1;
                return end - from <= maxLength ? _buffer.AsMemory(from, end - from) : throw TooLong();
            }

            _searched = _end;
            if (_end - _start > maxLength)
            {
                throw TooLong();
            }

            MakeRoom();
            int count = await input.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (count == 0)
            {
                return null;
            }

            _end += count;
        }
    }

    private RpcFormatException TooLong() => new($"a line longer than {maxLength} bytes");

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            _end -= _start;
            _searched -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, (int)Math.Min(2L * _buffer.Length, maxLength + 1L));
        }
    }
}
