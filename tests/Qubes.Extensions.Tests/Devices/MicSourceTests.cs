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
        _source = new MicSource(_app);
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
        Assert.Equal("work", _source.Exposed(_app.Domains.AdminVM).Single().Attachment);
        await Devices.DetachAsync(Mic);
        Assert.Equal("0", await StateAsync());
        Assert.Empty(Devices.Attached);
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
        MicSource restarted = new(_app);
        await restarted.AdoptAsync();
        Assert.Single(restarted.AttachedTo(_work));
    }

    private async Task<string> StateAsync() =>
        Encoding.ASCII.GetString(await _audio.QubesDb.ReadUntrustedAsync("/audio-input-config/work") ?? []);

    private QubesVM Create(QubeClass qubeClass, string name) => (QubesVM)_app.Domains.Create(new NewQube
    {
        Class = qubeClass, Name = QubeName.Parse(name), Label = _app.Labels.Find("red"),
    });
}
