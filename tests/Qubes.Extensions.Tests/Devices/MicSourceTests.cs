using System.Text;
using Qubes.Extensions.Mic;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Model.QubesDb;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Extensions.Tests.Devices;

public sealed class MicSourceTests : IEventObserver
{
    private static readonly VirtualDevice Mic = new(new DevicePort("mic", "dom0", "mic"), "dom0:mic::m000000");

    private readonly QubesApp _app = new(new FixedHostFacts());
    private readonly List<string> _seen = [];
    private readonly MicSource _source;
    private readonly QubesVM _work;
    private readonly QubesVM _audio;

    public MicSourceTests()
    {
        foreach (Label label in LabelSet.BuiltIn)
        {
            _app.Labels.Load(label);
        }

        _app.Domains.Load(QubeClasses.AdminVM, default);
        _source = new MicSource(_app, new AudioInput(services: null));
        _source.Register();
        _app.FinishLoading();
        QubesAppProperties.DefaultTemplate.Set(_app, (TemplateVM)Create(QubeClasses.TemplateVM, "fedora"));
        _work = Create(QubeClasses.AppVM, "work");
        _audio = Create(QubeClasses.AppVM, "sys-audio");
        _work.Runtime.State = _audio.Runtime.State = PowerState.Running;
        _audio.QubesDb.Attach(new MemoryQubesDb(_audio.QubesDb.TellChange));
        QubesVMProperties.AudioVM.Set(_work, _audio);
        _app.Events.AddObserver(this);
    }

    private QubeDevices Devices => _work.DevicesOf("mic");

    void IEventObserver.OnEvent(QubesEvent qubesEvent) => _seen.Add($"{qubesEvent.Subject.SubjectText} {qubesEvent.Name}".TrimStart());

    [Fact]
    public void There_is_one_microphone_and_clients_know_its_name()
    {
        Assert.StartsWith("mic:dom0:mic::m000000 ", DeviceInfoText.WriteLine(Assert.Single(_source.Exposed(_app.Domains.AdminVM))), StringComparison.Ordinal);
        Assert.Empty(_source.Exposed(_work));
        Assert.Equal("Microphone", DeviceCategory.Of(DeviceInterface.FromCode("m000000")).Name);
    }

    [Fact]
    public async Task Attaching_tells_the_qube_that_plays_the_sound()
    {
        await Devices.AttachAsync(Mic, []);
        Assert.Equal("1", await StateAsync());
        Assert.Single(Devices.Attached);
        await Devices.DetachAsync(Mic);
        Assert.Equal("0", await StateAsync());
        Assert.Empty(Devices.Attached);
    }

    [Fact]
    public async Task Any_number_of_qubes_hears_at_the_same_time()
    {
        QubesVM other = Create(QubeClasses.AppVM, "other");
        other.Runtime.State = PowerState.Running;
        QubesVMProperties.AudioVM.Set(other, _audio);
        other.Devices.Add(DeviceAssignment.Of(new AssignmentRequest(Mic, AssignmentModes.AutoAttach, [])));
        await Devices.AttachAsync(Mic, []);
        await other.FireAsync("domain-start");
        Assert.Single(other.DevicesOf("mic").Attached);
        Assert.Null(Assert.Single(_source.Exposed(_app.Domains.AdminVM)).Attachment);
        await Devices.DetachAsync(Mic);
        Assert.Empty(Devices.Attached);
        Assert.Single(other.DevicesOf("mic").Attached);
    }

    [Fact]
    public async Task What_cannot_hear_is_told_why()
    {
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Mic, [new("a", "b")]));
        Assert.Equal("mic device does not support user options", failure.Message);
        _audio.Runtime.State = PowerState.Halted;
        Assert.Equal(QubesErrorNames.VMNotRunning, (await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Mic, []))).WireName);
        QubesVMProperties.AudioVM.Set(_work, null);
        Assert.Equal("VM work has no AudioVM set", (await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Mic, []))).Message);
        Assert.Empty(Devices.Attached);
    }

    [Fact]
    public async Task The_end_of_either_qube_ends_the_hearing()
    {
        await Devices.AttachAsync(Mic, []);
        _work.Runtime.State = PowerState.Halted;
        await _work.FireAsync("domain-shutdown");
        Assert.Equal("0", await StateAsync());
        _work.Runtime.State = PowerState.Running;
        await Devices.AttachAsync(Mic, []);
        _seen.Clear();
        _audio.Runtime.State = PowerState.Halted;
        await _audio.FireAsync("domain-shutdown");
        Assert.Contains("work device-detach:mic", _seen);
        Assert.Empty(Devices.Attached);
    }

    [Fact]
    public async Task A_restarted_daemon_knows_who_hears()
    {
        await Devices.AttachAsync(Mic, []);
        MicSource restarted = new(_app, new AudioInput(services: null));
        await restarted.AdoptAsync();
        Assert.Single(restarted.AttachedTo(_work));
    }

    [Fact]
    public async Task The_hearing_follows_to_another_audiovm()
    {
        QubesVM second = Create(QubeClasses.AppVM, "second");
        second.Runtime.State = PowerState.Running;
        second.QubesDb.Attach(new MemoryQubesDb(second.QubesDb.TellChange));
        await Devices.AttachAsync(Mic, []);
        QubesVMProperties.AudioVM.Set(_work, second);
        Assert.Equal(("0", "1"), (await StateAsync(), await StateAsync(second)));
        Assert.Single(Devices.Attached);
        await Devices.DetachAsync(Mic);
        Assert.Equal("0", await StateAsync(second));

        // Who is deaf stays deaf.
        QubesVMProperties.AudioVM.Set(_work, _audio);
        Assert.Equal("0", await StateAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_an_audiovm_that_runs_the_hearing_ends(bool hasOne)
    {
        await Devices.AttachAsync(Mic, []);
        QubesVMProperties.AudioVM.Set(_work, hasOne ? Create(QubeClasses.AppVM, "halted") : null);
        Assert.Equal("0", await StateAsync());
        Assert.Empty(Devices.Attached);
        Assert.Contains("work device-detach:mic", _seen);
    }

    [Fact]
    public async Task The_default_audiovm_is_followed_too()
    {
        QubesVMProperties.AudioVM.Set(_work, null);
        QubesAppProperties.DefaultAudioVM.Set(_app, _audio);
        QubesVMProperties.AudioVM.Reset(_work);
        await Devices.AttachAsync(Mic, []);
        QubesVMProperties.AudioVM.Set(_work, null);
        Assert.Equal("0", await StateAsync());
    }

    [Fact]
    public async Task A_change_that_is_taken_back_moves_nothing()
    {
        await Devices.AttachAsync(Mic, []);
        using (_app.Changes.Begin(new("test", "test", DateTimeOffset.UnixEpoch)))
        {
            QubesVMProperties.AudioVM.Set(_work, null);
        }

        Assert.Equal("1", await StateAsync());
        Assert.Single(Devices.Attached);
    }

    [Fact]
    public async Task What_the_last_run_of_a_qube_left_is_cleared_when_it_starts()
    {
        foreach (string key in (string[])["/audio-input-config/work", "/audio-input/work", "/audio-input-request/work", "/audio-input-config/other"])
        {
            _audio.QubesDb.Write(key, "1");
        }

        await _work.FireAsync("domain-pre-spawn");
        Assert.Equal(["/audio-input-config/other"], await _audio.QubesDb.ListUntrustedAsync("/"));
    }

    [Fact]
    public async Task A_failing_handler_is_reported()
    {
        List<string> failures = [];
        _app.Devices.Failed = (what, failure) => failures.Add($"{what}: {failure.Message}");
        _app.Events.On(EmitterClass.LocalVM, "device-detach:mic", _ => throw QubesErrors.General("broken"));
        await Devices.AttachAsync(Mic, []);
        QubesVMProperties.AudioVM.Set(_work, null);
        Assert.Equal(["A handler of device-detach:mic of work failed: broken"], failures);
    }

    private async Task<string> StateAsync(QubesVM? audio = null) =>
        Encoding.ASCII.GetString(await (audio ?? _audio).QubesDb.ReadUntrustedAsync("/audio-input-config/work") ?? []);

    private QubesVM Create(QubeClass qubeClass, string name) => (QubesVM)_app.Domains.Create(new NewQube
    {
        Class = qubeClass, Name = QubeName.Parse(name), Label = _app.Labels.Find("red"),
    });
}
