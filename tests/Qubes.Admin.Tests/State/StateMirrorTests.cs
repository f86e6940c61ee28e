using Qubes.Admin.Server;
using Qubes.Admin.State;
using Qubes.Client.State;
using Qubes.Client.Transport;
using Qubes.Testing;

namespace Qubes.Admin.Tests.State;

/// <summary>Whoever gets the state and follows it has the daemon's own, whatever happens in between.</summary>
public sealed class StateMirrorTests
{
    private const int Rounds = 12;
    private const int ChangesARound = 250;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Mirrors_equal_the_daemons_state_after_thousands_of_random_changes(int seed)
    {
        // Little is kept and little is buffered: who is cut off or slow falls behind for good now and then.
        await using AdminFixture fixture = await AdminFixture.StartAsync(
            state: new StateFeedLimits { KeptChanges = 60, KeptBytes = 1 << 20, CatchUpBytes = 128 << 10 },
            server: new AdminServerLimits { StreamBacklogBytes = 96 << 10 });
        SocketTransport socket = new(fixture.AdminSocket, "");
        CuttingTransport cutting = new(socket, seed);
        using CancellationTokenSource stop = new();
        await using StateMirror steady = new(socket);
        await using StateMirror cut = new(cutting);
        await using StateMirror slow = new(socket);
        RandomChanges changes = await RandomChanges.StartAsync(fixture, seed);
        foreach (StateMirror mirror in (StateMirror[])[steady, cut, slow])
        {
            await mirror.NextAsync(stop.Token);
        }

        for (int round = 0; round < Rounds; round++)
        {
            // Two read along; the third one only every other round, when it has long been cut off.
            string? until = null;
            Task readers = Task.WhenAll(FollowAsync(steady), FollowAsync(cut));
            for (int i = 0; i < ChangesARound; i++)
            {
                await changes.NextAsync();
            }

            await fixture.AddMarkAsync(round);
            Volatile.Write(ref until, SystemState.Parse(await GetAsync(socket)).Position);
            await fixture.AddMarkAsync(round + 1000);
            await readers.WaitAsync(RawClient.Patience);
            string position = SystemState.Parse(await GetAsync(socket)).Position;
            await CatchUpAsync(steady, position);
            await CatchUpAsync(cut, position);
            string expected = await fixture.OnLoopAsync(StateText.Of);
            Assert.Equal(expected, StateText.Of(steady.Current!));
            Assert.Equal(expected, StateText.Of(cut.Current!));
            Assert.Equal(expected, StateText.Of(SystemState.Parse(await GetAsync(socket))));
            if (round % 2 == 1)
            {
                await CatchUpAsync(slow, position);
                Assert.Equal(expected, StateText.Of(slow.Current!));
            }

            async Task FollowAsync(StateMirror mirror)
            {
                while (Volatile.Read(ref until) is null)
                {
                    await mirror.NextAsync(stop.Token);
                }
            }
        }

        Assert.True(changes.Succeeded > Rounds * ChangesARound / 4, $"only {changes.Succeeded} changes were made");
        Assert.True(cutting.Streams > 10, $"only {cutting.Streams} streams were cut");
        Assert.Equal(1, steady.Fetches);
        Assert.True(slow.Fetches > 2, $"the slow reader got the state {slow.Fetches} times");
    }

    private static async Task<ReadOnlyMemory<byte>> GetAsync(SocketTransport socket) =>
        Client.AdminReply.Content(await socket.SendAsync(new AdminCall("dom0", "admin.state.Get")));

    private static async Task CatchUpAsync(StateMirror mirror, string position)
    {
        while (mirror.Current!.Position != position)
        {
            await mirror.NextAsync().WaitAsync(RawClient.Patience);
        }
    }
}
