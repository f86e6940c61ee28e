using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Protocol.Devices;

namespace Qubes.Model.Tests.Devices;

public sealed class AutoAttachTests
{
    private readonly DeviceSystem _devices = new();

    private string[] AttachedNow => [.. _devices.Source.Asked.Where(a => a.StartsWith("attach", StringComparison.Ordinal))];

    [Theory]
    [InlineData(true, "a b")]
    [InlineData(false, "a b c")]
    public async Task A_started_qube_gets_what_it_is_assigned_and_has_not_got_as_part_of_its_domain(bool requiredIsPartOfDomain, string attached)
    {
        _devices.Source.RequiredIsPartOfDomain = requiredIsPartOfDomain;
        _devices.Source.Put("sys-usb", "1-1", "a");
        _devices.Source.Put("sys-usb", "1-2", "b");
        _devices.Source.Put("sys-usb", "1-3", "c");
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1"));
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("*", "b"));
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-3", mode: AssignmentModes.Required));
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-4"));
        await _devices.Work.FireAsync("domain-start");
        // All at once, so in no order; the id stands between the last colon and a blank.
        Assert.Equal(attached.Split(' '), AttachedNow.Select(asked => asked.Split(' ')[1].Split(':')[^1]).Order());
        Assert.Empty(_devices.Failures);
    }

    [Fact]
    public async Task The_assignment_that_says_more_about_a_device_gives_the_options()
    {
        _devices.Source.Put("sys-usb", "1-1", "a");
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("*", options: new KeyValuePair<string, string>("from", "any")));
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", options: new KeyValuePair<string, string>("from", "port")));
        await _devices.Work.FireAsync("domain-start");
        Assert.Equal("port", _devices.Source.AttachedTo(_devices.Work).Single().Options[0].Value);
    }

    [Fact]
    public async Task A_qube_that_woke_up_gets_what_came_while_it_slept()
    {
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1"));
        _devices.Source.Put("sys-usb", "1-1");
        await _devices.Work.FireAsync("domain-resumed");
        Assert.Equal(["attach sys-usb:1-1:dead:beef to work"], AttachedNow);
        await _devices.Work.FireAsync("domain-resumed");
        Assert.Single(AttachedNow);
    }

    [Fact]
    public async Task What_another_qube_has_stays_there()
    {
        AppVM other = _devices.Run("other");
        _devices.Source.AttachOutside(other, _devices.Source.Put("sys-usb", "1-1"));
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1"));
        await _devices.Work.FireAsync("domain-start");
        Assert.Empty(AttachedNow);
    }

    [Fact]
    public async Task A_failure_keeps_neither_the_start_nor_other_devices()
    {
        _devices.Source.Put("sys-usb", "1-1");
        _devices.Source.IsBroken = true;
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1"));
        await _devices.Work.FireAsync("domain-start");
        Assert.Equal("testclass device sys-usb:1-1:dead:beef could not be attached to work: broken", Assert.Single(_devices.Failures));
    }

    [Fact]
    public async Task A_new_device_goes_to_the_running_qube_that_waits_for_it()
    {
        AppVM halted = _devices.System.AppVM("halted");
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1"));
        await halted.DevicesOf(DeviceSystem.Class).AssignAsync(DeviceSystem.Assignment("1-1"));
        _devices.Source.Put("sys-usb", "1-1");
        _devices.System.Seen.Clear();
        await _devices.AnnounceAsync();
        Assert.Equal(["sys-usb device-list-change:testclass", "sys-usb device-added:testclass", "work device-pre-attach:testclass", "work device-attach:testclass"],
            _devices.System.Seen);
    }

    [Fact]
    public async Task Where_several_wait_people_choose_and_no_answer_is_no()
    {
        AppVM other = _devices.Run("other");
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("*"));
        await other.DevicesOf(DeviceSystem.Class).AssignAsync(DeviceSystem.Assignment("*"));
        _devices.Source.Put("sys-usb", "1-1");
        await _devices.AnnounceAsync();
        Assert.Empty(AttachedNow);

        Prompt prompt = new() { Answer = null };
        _devices.System.App.Devices.Prompt = prompt;
        _devices.Source.Put("sys-usb", "1-2");
        await _devices.AnnounceAsync();
        Assert.Empty(AttachedNow);

        prompt.Answer = "other";
        _devices.Source.Put("sys-usb", "1-3");
        await _devices.AnnounceAsync();
        Assert.Equal(["attach sys-usb:1-3:dead:beef to other"], AttachedNow);
        Assert.Equal(["sys-usb:1-2:dead:beef: other work", "sys-usb:1-3:dead:beef: other work"], prompt.Asked);
    }

    [Fact]
    public async Task Who_wants_to_be_asked_is_asked_when_alone_and_at_the_start()
    {
        Prompt prompt = new() { Answer = "work" };
        _devices.System.App.Devices.Prompt = prompt;
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", mode: AssignmentModes.AskToAttach));
        _devices.Source.Put("sys-usb", "1-1");
        await _devices.AnnounceAsync();
        Assert.Equal(["attach sys-usb:1-1:dead:beef to work"], AttachedNow);

        await _devices.Devices.DetachAsync(DeviceSystem.Device("1-1"));
        prompt.Answer = null;
        await _devices.Work.FireAsync("domain-start");
        Assert.Single(AttachedNow);
        Assert.Equal(2, prompt.Asked.Count);
    }

    [Fact]
    public async Task Neither_a_start_nor_another_device_waits_for_an_answer()
    {
        Prompt prompt = new() { Answer = "work", Thinking = new TaskCompletionSource() };
        _devices.System.App.Devices.Prompt = prompt;
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", mode: AssignmentModes.AskToAttach));
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-2"));
        _devices.Source.Put("sys-usb", "1-1");
        _devices.Source.Put("sys-usb", "1-2");
        Task announced = _devices.AnnounceAsync();
        Assert.Equal(["attach sys-usb:1-2:dead:beef to work"], AttachedNow);
        Assert.False(announced.IsCompleted);

        await _devices.Work.FireAsync("domain-start");
        Assert.Equal(2, prompt.Asked.Count);
        prompt.Thinking.SetResult();
        await announced;
        Assert.Contains("attach sys-usb:1-1:dead:beef to work", AttachedNow);
    }

    [Theory]
    [InlineData("gone")]
    [InlineData("another")]
    [InlineData("taken")]
    [InlineData("halted")]
    public async Task What_changed_while_a_person_thought_is_looked_at_again(string what)
    {
        Prompt prompt = new() { Answer = "work", Thinking = new TaskCompletionSource() };
        _devices.System.App.Devices.Prompt = prompt;
        await _devices.Devices.AssignAsync(DeviceSystem.Assignment("1-1", mode: AssignmentModes.AskToAttach));
        DeviceInfo device = _devices.Source.Put("sys-usb", "1-1");
        Task announced = _devices.AnnounceAsync();
        switch (what)
        {
            case "gone":
                _devices.Source.TakeAway(device);
                break;
            case "another":
                _devices.Source.TakeAway(device);
                _devices.Source.Put("sys-usb", "1-1", "other:id");
                break;
            case "taken":
                _devices.Source.AttachOutside(_devices.Run("other"), device);
                break;
            default:
                _devices.Work.Runtime.State = PowerState.Halted;
                break;
        }

        prompt.Thinking.SetResult();
        await announced;
        Assert.Empty(AttachedNow);
        Assert.Empty(_devices.Failures);
    }

    private sealed class Prompt : IAttachmentPrompt
    {
        public string? Answer { get; set; }

        public List<string> Asked { get; } = [];

        public TaskCompletionSource? Thinking { get; init; }

        public async Task<LocalQube?> AskAsync(DeviceInfo device, IReadOnlyList<LocalQube> candidates)
        {
            Asked.Add($"{device}: {string.Join(' ', candidates.Select(c => c.Name.Value).Order(StringComparer.Ordinal))}");
            await (Thinking?.Task ?? Task.CompletedTask);
            await Task.Yield();
            return candidates.FirstOrDefault(c => c.Name.Value == Answer);
        }
    }
}
