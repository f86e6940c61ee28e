using CsCheck;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using static Qubes.Model.Tests.TestSystem;

namespace Qubes.Model.Tests.Changes;

public sealed class ModelChangeTests
{
    private static readonly ChangeOrigin Origin = new("dom0", "test", DateTimeOffset.UnixEpoch);

    private readonly TestSystem _system = new();

    [Fact]
    public void Observers_learn_of_a_change_when_it_is_complete()
    {
        AppVM work = _system.AppVM("work");
        using ModelChange change = _system.App.Changes.Begin(Origin);
        Set(work, "memory", "512");
        Assert.Empty(_system.Seen);
        change.Complete();
        Assert.Equal(["work property-pre-set:memory", "work property-set:memory"], _system.Seen);
        Assert.Null(_system.App.Changes.Current);
    }

    [Fact]
    public void An_abandoned_change_is_taken_back_and_only_its_pre_events_were()
    {
        AppVM work = _system.AppVM("work");
        using (_system.App.Changes.Begin(Origin))
        {
            Set(work, "memory", "512");
            work.Tags.Add(TagName.Parse("x"));
        }

        Assert.Equal("default=True type=int 400", Read(work, "memory"));
        Assert.Empty(work.Tags.All);
        Assert.Equal(["work property-pre-set:memory"], _system.Seen);
    }

    [Fact]
    public async Task A_change_flows_with_the_call_that_began_it()
    {
        AppVM work = _system.AppVM("work");
        using ModelChange change = _system.App.Changes.Begin(Origin);
        await Task.Yield();
        Set(work, "memory", "512");
        Assert.Equal("property memory", Assert.Single(change.Records).Item);
        Assert.Equal(new ChangeRecord("work", "property memory", null, "512"), change.Records.Single());
        change.Complete();
    }

    [Fact]
    public async Task What_a_removed_qube_had_is_given_away_only_when_its_removal_holds()
    {
        AppVM work = _system.AppVM("work");
        (int qid, QubeUuid uuid) = (work.Qid, work.Uuid);
        ModelChange removal = _system.App.Changes.Begin(Origin);
        _system.App.Domains.Remove(work);
        Task other;
        using (ExecutionContext.SuppressFlow())
        {
            // Another call, which knows nothing of that change.
            other = Task.Run(() =>
            {
                Assert.True(_system.App.Domains.IsNameTaken("work"));
                Assert.True(_system.App.Domains.IsQidTaken(qid));
                Assert.NotEqual(qid, _system.AppVM("other").Qid);
                Assert.Throws<QubesException>(() => _system.AppVM("work"));
                Assert.Throws<QubesException>(() => _system.App.Domains.Create(new NewQube
                {
                    Class = QubeClasses.AppVM, Name = QubeName.Parse("third"), Label = _system.App.Labels.Find("red"), Uuid = uuid,
                }));
            });
        }

        await other;
        removal.Rollback();
        Assert.Same(work, _system.App.Domains["work"]);
        Assert.True(_system.App.Domains.TryGet(qid, out Qube? back) && back == work);

        _system.App.Domains.Remove(work);
        Assert.False(_system.App.Domains.IsNameTaken("work"));
        Assert.Equal(qid, _system.AppVM("work").Qid);
    }

    [Fact]
    public void Removed_qubes_come_back_as_they_were()
    {
        AppVM work = _system.AppVM("work");
        using (_system.App.Changes.Begin(Origin))
        {
            _system.App.Domains.Remove(work);
        }

        Assert.Same(work, _system.App.Domains["work"]);
        Assert.True(work.IsInCollection);
    }

    [Fact]
    public void The_version_rises_with_every_change_and_its_undo()
    {
        AppVM work = _system.AppVM("work");
        long before = _system.App.Changes.Version;
        using (_system.App.Changes.Begin(Origin))
        {
            Set(work, "debug", "True");
            Assert.True(_system.App.Changes.Version > before);
            before = _system.App.Changes.Version;
        }

        Assert.True(_system.App.Changes.Version > before);
    }

    /// <summary>Whatever is done within a change, taking it back restores every text the store would hold.</summary>
    [Fact]
    public void Any_sequence_of_mutations_is_undone_exactly() => Gen.Int[0, 9].Array[1, 30].Sample(actions =>
    {
        TestSystem system = new();
        AppVM net = system.NetVM("net");
        AppVM work = system.AppVM("work");
        work.Features.Set("f0", "a");
        work.Features.Set("f1", "b");
        string before = Snapshot(system.App);
        using (system.App.Changes.Begin(Origin))
        {
            for (int i = 0; i < actions.Length; i++)
            {
                Record.Exception(() => Act(system, work, net, actions[i], i));
            }
        }

        Assert.Equal(before, Snapshot(system.App));
    }, iter: 300);

    private static void Act(TestSystem system, AppVM work, AppVM net, int action, int i)
    {
        switch (action)
        {
            case 0:
                Set(work, "memory", $"{i + 1}");
                break;
            case 1:
                Reset(work, "memory");
                break;
            case 2:
                work.Features.Set($"f{i % 4}", $"{i}");
                break;
            case 3:
                work.Features.Remove($"f{i % 4}");
                break;
            case 4:
                work.Tags.Add(TagName.Parse($"t{i % 3}"));
                break;
            case 5:
                work.Tags.Remove(TagName.Parse($"t{i % 3}"));
                break;
            case 6:
                Set(work, "netvm", i % 2 == 0 ? "net" : "");
                break;
            case 7:
                work.Volumes.Set(new VolumeConfig { Name = $"v{i % 2}", Size = i });
                break;
            case 8:
                system.AppVM($"q{i}");
                break;
            default:
                system.App.Domains.Remove(system.App.Domains.Last());
                Set(net, "label", "blue");
                break;
        }
    }

    private static string Snapshot(QubesApp app) => string.Join('\n', app.Domains.Select(qube =>
        $"{qube.Name} "
        + string.Join(' ', qube.Properties.InListOrder.Where(p => p.IsExplicit(qube)).Select(p => $"{p.Name}={p.StoreText(qube)}"))
        + " | " + string.Join(' ', qube.Features.All) + " | " + string.Join(' ', qube.Tags.All)
        + " | " + (qube is QubesVM vm ? string.Join(' ', vm.Volumes.All.Select(v => $"{v.Name}:{v.Size}")) : "")));

    [Fact]
    public void Overlapping_changes_of_one_pool_or_volume_take_back_their_own_alone()
    {
        AppVM work = _system.AppVM("work");
        work.Volumes.Load([new VolumeConfig { Name = "private", Size = 1 }]);
        _system.App.Pools.Load([new PoolConfig { Name = "p", Driver = "d", Options = [new("a", "1"), new("b", "1")] }]);
        ModelChange first = Begun(() =>
        {
            _system.App.Pools.Set(_system.App.Pools.All[0].With("a", "2").With("c", "2"));
            _system.App.Pools.Set(new PoolConfig { Name = "first", Driver = "d" });
            work.Volumes.Set(work.Volumes.All[0] with { RevisionsToKeep = 5 });
            work.Volumes.Set(new VolumeConfig { Name = "first" });
        });
        ModelChange second = Begun(() =>
        {
            _system.App.Pools.Set(_system.App.Pools.All[0].With("b", "2"));
            _system.App.Pools.Set(new PoolConfig { Name = "second", Driver = "d" });
            work.Volumes.Set(work.Volumes.All[0] with { Size = 2 });
            work.Volumes.Set(new VolumeConfig { Name = "second" });
        });
        first.Rollback();
        Assert.Equal(["p a=1 b=2", "second "], _system.App.Pools.All.Select(p => $"{p.Name} {string.Join(' ', p.Options.Select(o => $"{o.Key}={o.Value}"))}"));
        Assert.Equal(["private 2 ", "second 0 "], work.Volumes.All.Select(v => $"{v.Name} {v.Size} {v.RevisionsToKeep}"));
        second.Rollback();
        Assert.Equal("1", _system.App.Pools.All[0]["b"]);
        Assert.Equal(["private 1 "], work.Volumes.All.Select(v => $"{v.Name} {v.Size} {v.RevisionsToKeep}"));
    }

    [Fact]
    public void A_removal_is_taken_back_where_it_was_whatever_came_since()
    {
        AppVM work = _system.AppVM("work");
        work.Volumes.Load([.. "abc".Select(name => new VolumeConfig { Name = name.ToString() })]);
        _system.App.Pools.Load([.. "abc".Select(name => new PoolConfig { Name = name.ToString(), Driver = "d" })]);
        ModelChange removal = Begun(() =>
        {
            work.Volumes.Remove("b");
            _system.App.Pools.Remove(_system.App.Pools.All[1]);
        });
        ModelChange other = Begun(() =>
        {
            work.Volumes.Set(new VolumeConfig { Name = "d" });
            _system.App.Pools.Set(new PoolConfig { Name = "d", Driver = "d" });
        });
        removal.Rollback();
        Assert.Equal("abcd", string.Concat(work.Volumes.All.Select(v => v.Name)));
        Assert.Equal("abcd", string.Concat(_system.App.Pools.All.Select(p => p.Name)));
    }

    public static TheoryData<string> Parts => ["property", "reset", "feature", "removed feature", "option", "field", "assignment", "tag"];

    [Theory]
    [MemberData(nameof(Parts))]
    public void Two_changes_of_the_same_part_that_are_both_taken_back_leave_nothing(string part)
    {
        foreach (bool firstGoesFirst in (bool[])[true, false])
        {
            OnePart one = new(part);
            ModelChange first = one.Begin(1);
            ModelChange second = one.Begin(2);
            (firstGoesFirst ? first : second).Rollback();
            Assert.Equal(firstGoesFirst ? one.Value(2) : one.Value(1), one.Current);
            (firstGoesFirst ? second : first).Rollback();
            Assert.Equal(one.Value(0), one.Current);
        }
    }

    [Theory]
    [MemberData(nameof(Parts))]
    public void Of_two_changes_of_the_same_part_the_last_that_holds_counts(string part)
    {
        foreach (bool firstHolds in (bool[])[true, false])
        {
            OnePart one = new(part);
            ModelChange first = one.Begin(1);
            ModelChange second = one.Begin(2);
            (firstHolds ? second : first).Rollback();
            (firstHolds ? first : second).Complete();
            Assert.Equal(one.Value(firstHolds ? 1 : 2), one.Current);
        }
    }

    /// <summary>However changes overlap, taking all of them back, in any order, restores every text the store would hold.</summary>
    [Fact]
    public void Any_overlapping_changes_are_undone_exactly() =>
        Gen.Select(Gen.Select(Gen.Int[0, 2], Gen.Int[0, 7]).Array[1, 40], Gen.Shuffle(new[] { 0, 1, 2 })).Sample((actions, order) =>
        {
            TestSystem system = new();
            AppVM net = system.NetVM("net");
            AppVM work = system.AppVM("work");
            work.Features.Set("f0", "a");
            work.Features.Set("f1", "b");
            work.Volumes.Load([new VolumeConfig { Name = "v0" }]);
            string before = Snapshot(system.App);
            OverlappingChange[] changes = [new(system.App), new(system.App), new(system.App)];
            for (int i = 0; i < actions.Length; i++)
            {
                (int change, int action) = actions[i];
                changes[change].Do(() => Record.Exception(() => Act(system, work, net, action, i)));
            }

            foreach (int change in order)
            {
                changes[change].Change.Rollback();
            }

            Assert.Equal(before, Snapshot(system.App));
        }, iter: 300);

    [Fact]
    public void Each_field_of_a_volume_is_recorded_by_itself()
    {
        AppVM work = _system.AppVM("work");
        work.Volumes.Load([new VolumeConfig { Name = "private", Size = 1, Rw = true }]);
        using ModelChange change = _system.App.Changes.Begin(Origin);
        VolumeConfig other = new()
        {
            Name = "private", Pool = "p", Vid = "v", Size = 2, SaveOnStop = true, SnapOnStart = true, Source = "s", RevisionsToKeep = 1, Ephemeral = false,
            Extra = [new("x", "y")],
        };
        work.Volumes.Set(other);
        work.Volumes.Set(other);
        Assert.Equal(
            [
                "volume private pool:->p", "volume private vid:->v", "volume private size:1->2", "volume private rw:True->False",
                "volume private save_on_stop:False->True", "volume private snap_on_start:False->True", "volume private source:->s",
                "volume private revisions_to_keep:->1", "volume private ephemeral:->False", "volume private extra:->x=y",
            ],
            change.Records.Select(r => $"{r.Item}:{r.Before}->{r.After}"));
        change.Rollback();
        Assert.Equal(new VolumeConfig { Name = "private", Size = 1, Rw = true }, work.Volumes.All[0] with { Extra = [] });
    }

    private ModelChange Begun(Action mutate)
    {
        OverlappingChange change = new(_system.App);
        change.Do(mutate);
        return change.Change;
    }
}
