using System.Text;
using CsCheck;
using Qubes.Protocol.Errors;

namespace Qubes.Client.Tests;

public sealed class EventReaderTests
{
    [Fact]
    public async Task Events_come_whole_however_the_bytes_arrive()
    {
        byte[] bytes = Encoding.UTF8.GetBytes("1\0\0connection-established\0\01\0work\0property-set:netvm\0name\0netvm\0newvalue\0\0\0");
        for (int chunk = 1; chunk <= bytes.Length; chunk++)
        {
            List<AdminEvent> events = await ReadAsync(new ChunkedStream(bytes, chunk));
            Assert.Equal(["connection-established", "property-set:netvm"], events.Select(e => e.Name));
            Assert.Equal("work", events[1].Subject);
            Assert.Equal("netvm", events[1]["name"]);
            Assert.Equal("", events[1]["newvalue"]);
            Assert.Null(events[1]["oldvalue"]);
        }
    }

    [Fact]
    public async Task A_stream_that_ends_with_an_exception_throws_it()
    {
        byte[] bytes = Encoding.UTF8.GetBytes("1\0\0connection-established\0\02\0QubesVMNotRunningError\0\0Not running\0");
        QubesException error = await Assert.ThrowsAsync<QubesException>(() => ReadAsync(new MemoryStream(bytes)));
        Assert.Equal("QubesVMNotRunningError", error.WireName);
    }

    [Theory]
    [InlineData("0\0hello")]
    [InlineData("1\0work\0domain-start\0key")]
    public async Task What_is_no_event_is_an_error(string bytes) =>
        await Assert.ThrowsAsync<QubesException>(() => ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(bytes))));

    [Fact]
    public void Any_bytes_are_events_or_a_named_error() =>
        Gen.Byte.Array.Sample(bytes =>
        {
            try
            {
                bool isWhole = EventReader.TryParse(bytes, out AdminEvent? admin, out int consumed);
                Assert.Equal(isWhole, admin is not null);
                Assert.InRange(consumed, 0, bytes.Length);
            }
            catch (QubesException)
            {
            }
        });

    private static async Task<List<AdminEvent>> ReadAsync(Stream stream)
    {
        List<AdminEvent> events = [];
        await foreach (AdminEvent admin in EventReader.ReadAsync(stream))
        {
            events.Add(admin);
        }

        return events;
    }

    private sealed class ChunkedStream(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(chunk, buffer.Length)], cancellationToken);
    }
}
