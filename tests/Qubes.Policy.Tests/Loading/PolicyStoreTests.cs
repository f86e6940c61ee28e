using Qubes.Policy.Loading;

namespace Qubes.Policy.Tests.Loading;

public sealed class PolicyStoreTests : IDisposable
{
    private readonly ScratchRoot _root = new();
    private readonly LateClock _clock = new();
    private readonly List<LoadedPolicy> _loads = [];
    private readonly PolicyStore _store;

    public PolicyStoreTests()
    {
        _root.Write("etc/qubes/policy.d/10-a.policy", "one + a b allow\n!include include/x\n");
        _root.Write("etc/qubes/policy.d/include/x", "inc + a b allow\n");
        _store = new PolicyStore(_root.Source, _clock, _loads.Add);
    }

    public void Dispose() => _root.Dispose();

    private string Services() => string.Join(' ', _store.Current().Rules.Rules.Select(r => r.Service));

    [Fact]
    public void Nothing_is_loaded_again_while_nothing_changes()
    {
        LoadedPolicy first = _store.Current();
        Assert.Equal("one inc", Services());
        Assert.Same(first, _store.Current());
        Assert.Single(_loads);
    }

    [Fact]
    public void A_file_younger_than_the_tick_of_its_clock_is_loaded_again_each_time()
    {
        _clock.Late = TimeSpan.Zero;
        _root.Write("etc/qubes/policy.d/10-a.policy", "new + a b allow\n");
        LoadedPolicy first = _store.Current();
        _clock.FreezeAt(DateTimeOffset.UnixEpoch.AddTicks(
            first.Dependencies.Max(d => d.Stamp.Changed) / TimeSpan.NanosecondsPerTick));
        _root.Write("etc/qubes/policy.d/20-b.policy", "two + a b allow\n");
        LoadedPolicy second = _store.Current();
        Assert.NotSame(first, second);
        _clock.FreezeAt(DateTimeOffset.UtcNow.AddHours(1));
        Assert.NotNull(_store.Current());
        Assert.Same(_store.Current(), _store.Current());
    }

    public static TheoryData<string, Action<string>, string> Changes => new()
    {
        { "edit in place", d => Write(d + "/10-a.policy", "two + a b allow\n!include include/x\n"), "two inc" },
        { "edit of an include", d => Write(d + "/include/x", "INC + a b allow\n"), "one INC" },
        { "new file", d => Write(d + "/20-b.policy", "two + a b allow\n"), "one inc two" },
        { "removal", d => File.Delete(d + "/10-a.policy"), "" },
        { "move in", d => { Write(d + "/../outside", "new + a b allow\n"); File.Move(d + "/../outside", d + "/20-b.policy"); }, "one inc new" },
        { "move out", d => File.Move(d + "/10-a.policy", d + "/../outside"), "" },
        { "replacement by an older file", d => Replace(d + "/10-a.policy", "old + a b allow\n!include include/x\n"), "old inc" },
        { "new file in the runtime directory", d => Write(d + "/../../../run/qubes/policy.d/10-a.policy", "run + a b allow\n"), "run" },
        { "loss of the runtime directory", d => Directory.Delete(d + "/../../../run/qubes/policy.d"), "one inc" },
    };

    [Theory]
    [MemberData(nameof(Changes), DisableDiscoveryEnumeration = true)]
    public void Every_change_is_in_force_for_the_next_call(string what, Action<string> change, string expected)
    {
        Assert.NotEmpty(what);
        Assert.Equal("one inc", Services());
        change(_root["etc/qubes/policy.d"]);
        Assert.Equal(expected, Services());
        Assert.Same(_store.Current(), _store.Current());
    }

    [Fact]
    public void What_was_missing_is_found_when_it_comes()
    {
        File.Delete(_root["etc/qubes/policy.d/include/x"]);
        Assert.False(_store.Current().IsValid);
        _root.Write("etc/qubes/policy.d/include/x", "inc + a b allow\n");
        Assert.Equal("one inc", Services());
        Assert.Equal([false, true], _loads.Select(l => l.IsValid));
    }

    [Fact]
    public void Where_a_link_leads_is_followed_anew()
    {
        _root.Write("one/text", "first + a b allow");
        _root.Write("two/text", "second + a b allow");
        Directory.CreateSymbolicLink(_root["etc/qubes/policy.d/link"], _root["one"]);
        _root.Write("etc/qubes/policy.d/10-a.policy", "!include link/text\n");
        Assert.Equal("first", Services());
        Directory.Delete(_root["etc/qubes/policy.d/link"]);
        Directory.CreateSymbolicLink(_root["etc/qubes/policy.d/link"], _root["two"]);
        Assert.Equal("second", Services());
    }

    [Fact]
    public void A_directory_that_cannot_be_read_is_tried_again_and_told_once()
    {
        Directory.Move(_root["etc/qubes/policy.d"], _root["away"]);
        Assert.True(_store.Current().IsUnreadable);
        Assert.False(_store.Current().IsValid);
        Assert.Single(_loads);
        Directory.Move(_root["away"], _root["etc/qubes/policy.d"]);
        Assert.Equal("one inc", Services());
    }

    [Fact]
    public async Task Readers_at_once_see_whole_policies()
    {
        using CancellationTokenSource stop = new();
        Task[] readers =
        [
            .. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                while (!stop.IsCancellationRequested)
                {
                    Assert.Contains(Services(), (string[])["one inc", "two inc"]);
                }
            })),
        ];
        for (int i = 0; i < 50; i++)
        {
            Replace(_root["etc/qubes/policy.d/10-a.policy"], (i % 2 == 0 ? "two" : "one") + " + a b allow\n!include include/x\n");
            Assert.Equal(i % 2 == 0 ? "two inc" : "one inc", Services());
        }

        await stop.CancelAsync();
        await Task.WhenAll(readers).WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static void Write(string path, string text)
    {
        using StreamWriter file = new(path);
        file.Write(text);
    }

    private static void Replace(string path, string text)
    {
        Write(path + ".new", text);
        File.SetLastWriteTimeUtc(path + ".new", new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>A clock an hour ahead, so that files just written count as old.</summary>
    private sealed class LateClock : TimeProvider
    {
        private DateTimeOffset? _frozen;

        public TimeSpan Late { get; set; } = TimeSpan.FromHours(1);

        public void FreezeAt(DateTimeOffset time) => _frozen = time;

        public override DateTimeOffset GetUtcNow() => _frozen ?? DateTimeOffset.UtcNow + Late;
    }
}
