using System.Text;
using System.Threading.Channels;
using Qubes.Qrexec.Data;

namespace Qubes.Qrexec.Tests.Client;

/// <summary>A program's standard stream in memory: a source fed by the test, a sink that remembers.</summary>
internal sealed class MemoryEnd : ILocalSource, ILocalSink
{
    private readonly Channel<byte[]> _input = Channel.CreateUnbounded<byte[]>();
    private readonly StringBuilder _output = new();

    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    public static MemoryEnd Source(string text, bool ends = true)
    {
        MemoryEnd source = new();
        source.Feed(text);
        if (ends)
        {
            source.End();
        }

        return source;
    }

    public void Feed(string text)
    {
        if (text.Length > 0)
        {
            _input.Writer.TryWrite(Encoding.Latin1.GetBytes(text));
        }
    }

    public void End() => _input.Writer.TryComplete();

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!await _input.Reader.WaitToReadAsync(cancellationToken))
        {
            return 0;
        }

        byte[] piece = await _input.Reader.ReadAsync(cancellationToken);
        piece.CopyTo(buffer);
        return piece.Length;
    }

    public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        lock (_output)
        {
            _output.Append(Encoding.Latin1.GetString(data.Span));
        }

        return new(true);
    }

    public void Close()
    {
    }
}
