using System.Text;
using Qubes.Testing;

namespace Qubes.Daemon.Tests.Extensions;

/// <summary>A subscriber of <c>admin.Events</c>, in raw bytes.</summary>
internal sealed class EventStream : IDisposable
{
    private readonly RawClient _client;
    private readonly StringBuilder _seen = new();

    private EventStream(RawClient client) => _client = client;

    public static async Task<EventStream> OpenAsync(string socket, string destination = "dom0")
    {
        RawClient client = await RawClient.ConnectAsync(socket);
        await client.SendAsync($"admin.Events+ dom0 name {destination}\0");
        client.FinishOutput();
        EventStream stream = new(client);
        await stream.ReadUntilAsync("connection-established\0\0");
        return stream;
    }

    /// <summary>Reads until this text has come, at or after a place in what was seen; everything seen so far.</summary>
    public async Task<string> ReadUntilAsync(string text, int from = 0)
    {
        int at = from;
        while (!Tail(at).Contains(text, StringComparison.Ordinal))
        {
            // Where it was looked for already it is not looked for again: long streams are to be read as fast as they come.
            at = Math.Max(from, _seen.Length - text.Length);
            string more = "";
            try
            {
                more = await _client.ReadAsync();
            }
            catch (TimeoutException)
            {
                Assert.Fail($"'{text.Replace('\0', '|')}' did not come, but after {from}: {Tail(from).Replace('\0', '|')}");
            }

            Assert.False(more.Length == 0, $"the stream ended before '{text}': {_seen}");
            _seen.Append(more);
        }

        return _seen.ToString();
    }

    public void Dispose() => _client.Dispose();

    private string Tail(int from) => _seen.ToString(Math.Min(from, _seen.Length), _seen.Length - Math.Min(from, _seen.Length));
}
