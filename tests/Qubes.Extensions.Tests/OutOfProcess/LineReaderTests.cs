using System.Text;
using CsCheck;
using Qubes.Extensions.OutOfProcess.Rpc;

namespace Qubes.Extensions.Tests.OutOfProcess;

public sealed class LineReaderTests
{
    [Fact]
    public Task Lines_come_whole_however_they_were_written() =>
        Gen.Select(Gen.String[Gen.Char['a', 'z'], 0, 40].Array[0, 20], Gen.Int[1, 64]).SampleAsync(async (lines, chunk) =>
        {
            byte[] bytes = Encoding.ASCII.GetBytes(string.Concat(lines.Select(l => l + "\n")) + "unfinished");
            LineReader reader = new(new ChunkedStream(bytes, chunk), maxLength: 40);
            List<string> read = [];
            while (await reader.ReadAsync() is { } line)
            {
                read.Add(Encoding.ASCII.GetString(line.Span));
            }

            Assert.Equal(lines, read);
        });

    [Theory]
    [InlineData(40)]
    [InlineData(10_000)]
    public async Task A_line_over_the_limit_is_refused_before_it_is_kept(int maxLength)
    {
        LineReader reader = new(new ChunkedStream(Encoding.ASCII.GetBytes(new string('x', maxLength) + "\n" + new string('y', maxLength + 1) + "\n"), 7), maxLength);
        Assert.Equal(maxLength, (await reader.ReadAsync())!.Value.Length);
        await Assert.ThrowsAsync<RpcFormatException>(() => reader.ReadAsync().AsTask());
    }

    private sealed class ChunkedStream(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(chunk, buffer.Length)], cancellationToken);
    }
}
