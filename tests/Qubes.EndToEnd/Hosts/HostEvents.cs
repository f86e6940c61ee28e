namespace Qubes.EndToEnd.Hosts;

/// <summary>What <c>admin.Events</c> tells, from the moment this is opened until the daemon ends.</summary>
internal sealed class HostEvents : IAsyncDisposable
{
    private readonly LiveTool _tool;

    private HostEvents(LiveTool tool) => _tool = tool;

    /// <param name="target">A qube, or dom0 for all.</param>
    public static async Task<HostEvents> OpenAsync(ScratchHost host, string target = "dom0")
    {
        HostEvents events = new(host.Open("qubesd-query", "--empty", "dom0", "admin.Events", target));
        await events.NextAsync("connection-established");
        return events;
    }

    /// <summary>Passes over what happens until <paramref name="name"/> happens.</summary>
    /// <returns>To which qube.</returns>
    public async Task<string> NextAsync(string name)
    {
        while (true)
        {
            // 1 NUL SUBJECT NUL EVENT NUL (NAME NUL VALUE NUL)* NUL
            Assert.Equal("1", await WordAsync());
            string subject = await WordAsync();
            string happened = await WordAsync();
            while (await WordAsync() is not "")
            {
                await WordAsync();
            }

            if (happened == name)
            {
                return subject;
            }
        }
    }

    public ValueTask DisposeAsync() => _tool.DisposeAsync();

    private async Task<string> WordAsync()
    {
        List<char> word = [];
        char[] one = new char[1];
        while (true)
        {
            Assert.NotEqual(0, await _tool.Output.ReadAsync(one).AsTask().WaitAsync(ScratchHost.Patience));
            if (one[0] == '\0')
            {
                return string.Concat(word);
            }

            word.Add(one[0]);
        }
    }
}
