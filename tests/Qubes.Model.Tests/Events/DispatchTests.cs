using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Tests.Events;

public sealed class DispatchTests
{
    private readonly TestSystem _system = new();
    private readonly List<string> _ran = [];

    [Fact]
    public void Normal_events_run_from_the_basic_class_to_the_derived_one_and_the_observer_is_last()
    {
        AppVM work = _system.AppVM("work");
        Attach("x");
        work.Fire("x");
        Assert.Equal(["BaseVM", "LocalVM own", "LocalVM", "NetVMMixin", "QubesVM", "DVMTemplateMixin", "AppVM"], _ran);
        Assert.Equal(["work x"], _system.Seen);
    }

    [Fact]
    public void Pre_events_run_the_other_way_round_and_the_observer_is_first()
    {
        AppVM work = _system.AppVM("work");
        Attach("x");
        _system.App.Events.On(EmitterClass.AppVM, "x", _ => Assert.Single(_system.Seen));
        work.FirePre("x");
        Assert.Equal(["AppVM", "DVMTemplateMixin", "QubesVM", "NetVMMixin", "LocalVM own", "LocalVM", "BaseVM"], _ran);
    }

    [Fact]
    public void Handlers_see_only_subjects_of_their_class()
    {
        Attach("x");
        _system.Dom0.Fire("x");
        Assert.Equal(["BaseVM", "LocalVM own", "LocalVM"], _ran);
        _ran.Clear();
        _system.App.Fire("x");
        Assert.Empty(_ran);
    }

    [Fact]
    public void An_exception_ends_the_walk()
    {
        AppVM work = _system.AppVM("work");
        _system.App.Events.On(EmitterClass.BaseVM, "x", _ => throw QubesErrors.Value("no"));
        Attach("x");
        Assert.Throws<QubesException>(() => work.Fire("x"));
        Assert.Empty(_ran);
        Assert.Empty(_system.Seen);
    }

    [Fact]
    public async Task Asynchronous_handlers_start_after_the_observer_and_all_run_to_their_end()
    {
        AppVM work = _system.AppVM("work");
        TaskCompletionSource gate = new();
        bool slowRan = false;
        _system.App.Events.OnAwaited(EmitterClass.LocalVM, "domain-start", async _ =>
        {
            Assert.Equal(["work domain-start"], _system.Seen);
            await gate.Task;
            slowRan = true;
        });
        _system.App.Events.OnAwaited(EmitterClass.LocalVM, "domain-start", _ => throw QubesErrors.Value("no"));
        Task fired = work.FireAsync("domain-start");
        Assert.False(fired.IsCompleted);
        gate.SetResult();
        await Assert.ThrowsAsync<QubesException>(() => fired);
        Assert.True(slowRan);
    }

    [Fact]
    public void An_asynchronous_handler_of_a_synchronous_event_is_refused_when_attached()
    {
        Assert.Throws<ArgumentException>(() => _system.App.Events.OnAwaited(EmitterClass.LocalVM, "property-set:x", _ => Task.CompletedTask));
        Assert.Throws<ArgumentException>(() => _system.App.Events.OnAwaited(EmitterClass.LocalVM, "domain-paused", _ => Task.CompletedTask));
        _system.App.Events.OnAwaited(EmitterClass.LocalVM, "device-attach:*", _ => Task.CompletedTask);
    }

    [Theory]
    [InlineData("admin-permission:admin.vm.Start")]
    [InlineData("device-list:pci")]
    [InlineData("device-get:pci")]
    [InlineData("device-list-attached:pci")]
    [InlineData("domain-is-fully-usable")]
    public void Questions_to_handlers_are_not_shown_to_observers(string name)
    {
        _system.AppVM("work").Fire(name);
        Assert.Empty(_system.Seen);
    }

    [Fact]
    public void Handlers_contribute_results_in_order()
    {
        _system.App.Events.On(EmitterClass.LocalVM, "admin-permission:*", e => e.AddResult("a"));
        _system.App.Events.On(EmitterClass.LocalVM, "admin-permission:*", e => e.AddResult("b"));
        Assert.Equal(["a", "b"], _system.Dom0.FirePre("admin-permission:admin.vm.List")!.Results);
        Assert.Null(_system.App.FirePre("admin-permission:admin.vm.List"));
    }

    [Fact]
    public void A_removed_handler_runs_no_more()
    {
        EventHandlerRegistration registration = _system.App.Events.On(EmitterClass.BaseVM, "x", _ => _ran.Add("x"));
        _system.Dom0.Fire("x");
        registration.Dispose();
        _system.Dom0.Fire("x");
        Assert.Single(_ran);
    }

    private void Attach(string name)
    {
        foreach (EmitterClass level in (EmitterClass[])
            [EmitterClass.LocalVM, EmitterClass.AppVM, EmitterClass.BaseVM, EmitterClass.QubesVM, EmitterClass.NetVMMixin, EmitterClass.DVMTemplateMixin])
        {
            _system.App.Events.On(level, name, _ => _ran.Add(level.Name));
        }

        _system.App.Events.On(EmitterClass.LocalVM, name, _ => _ran.Add("LocalVM own"), own: true);
    }
}
