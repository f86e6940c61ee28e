using System.Text;
using Qubes.Extensions.Mic;
using Qubes.Lifecycle.Qrexec;
using Qubes.Linux;
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

/// <summary>The microphone with an audiovm that is told by its services; for qrexec-client a program that keeps how it was called.</summary>
public sealed class MicServiceTests : IAsyncDisposable
{
    private const string Enable = "supported-rpc.qubes.AudioInputEnable";
    private const string Disable = "supported-rpc.qubes.AudioInputDisable";
    private const string EnableCall = "-d sys-audio DEFAULT:QUBESRPC qubes.AudioInputEnable+work dom0";
    private const string DisableCall = "-d sys-audio DEFAULT:QUBESRPC qubes.AudioInputDisable+work dom0";
    private const string Gated = "while [ ! -e \"$0.go\" ]; do sleep 0.02; done";

    private static readonly VirtualDevice Mic = new(new DevicePort("mic", "dom0", "mic"), "dom0:mic::m000000");

    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-mic-").FullName;
    private readonly ModelLoop _loop = new(static _ => { });
    private readonly QubesApp _app = new(new FixedHostFacts());
    private readonly List<string> _failures = [];
    private readonly List<string> _detached = [];
    private readonly TemplateVM _template;
    private readonly QubesVM _work;
    private readonly QubesVM _audio;

    public MicServiceTests()
    {
        foreach (Label label in LabelSet.BuiltIn)
        {
            _app.Labels.Load(label);
        }

        _app.Domains.Load(QubeClasses.AdminVM, default);
        _app.Devices.Failed = (what, failure) => _failures.Add($"{what}: {failure.Message}");
        Source().Register();
        _app.FinishLoading();
        QubesAppProperties.DefaultTemplate.Set(_app, _template = (TemplateVM)Create(QubeClasses.TemplateVM, "fedora"));
        _work = Create(QubeClasses.AppVM, "work");
        _audio = CreateAudio("sys-audio");
        _work.Runtime.State = PowerState.Running;
        QubesVMProperties.AudioVM.Set(_work, _audio);
        foreach (string feature in (string[])[Enable, Disable])
        {
            _audio.Features.Set(feature, value: true);
        }

        _app.Events.On(EmitterClass.LocalVM, "device-detach:mic", detached => _detached.Add(detached.Subject.SubjectText));
        Client("");
    }

    private QubeDevices Devices => _work.DevicesOf("mic");

    private string Calls => Path.Combine(_directory, "client.calls");

    public async ValueTask DisposeAsync()
    {
        await _loop.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public Task An_audiovm_that_has_the_services_is_told_by_them() => _loop.InvokeAsync(async () =>
    {
        await Devices.AttachAsync(Mic, []);
        Assert.Single(Devices.Attached);
        Assert.Equal([EnableCall], await File.ReadAllLinesAsync(Calls));
        await Devices.DetachAsync(Mic);
        Assert.Empty(Devices.Attached);
        Assert.Equal([EnableCall, DisableCall], await File.ReadAllLinesAsync(Calls));
        Assert.Empty(await _audio.QubesDb.ListUntrustedAsync("/"));
    });

    [Fact]
    public Task Each_service_counts_for_itself() => _loop.InvokeAsync(async () =>
    {
        _audio.Features.Remove(Enable);
        await Devices.AttachAsync(Mic, []);
        Assert.Equal("1", await EntryAsync("/audio-input-config/work"));
        await Devices.DetachAsync(Mic);
        Assert.Equal([DisableCall], await File.ReadAllLinesAsync(Calls));
    });

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public Task What_the_template_says_of_the_services_holds_until_the_qube_says_otherwise(bool template, bool isCalled) => _loop.InvokeAsync(async () =>
    {
        _template.Features.Set(Enable, value: true);
        if (template)
        {
            _audio.Features.Remove(Enable);
        }
        else
        {
            _audio.Features.Set(Enable, value: false);
        }

        await Devices.AttachAsync(Mic, []);
        Assert.Equal((isCalled, isCalled ? "" : "1"), (File.Exists(Calls), await EntryAsync("/audio-input-config/work")));
    });

    [Theory]
    [InlineData("exit 1", "pulseaudio agent not running")]
    [InlineData("echo no such agent >&2; exit 126", "no such agent")]
    public Task A_service_that_fails_is_told_and_changes_nothing(string script, string reason) => _loop.InvokeAsync(async () =>
    {
        Client(script);
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Mic, []));
        Assert.Equal((QubesErrorNames.VMError, $"Failed to attach audio input from sys-audio to work: {reason}"), (failure.WireName, failure.Message));
        Assert.Empty(Devices.Attached);
        Client("");
        await Devices.AttachAsync(Mic, []);
        Client(script);
        failure = await Assert.ThrowsAsync<QubesException>(() => Devices.DetachAsync(Mic));
        Assert.Equal((QubesErrorNames.VMError, $"Failed to detach audio input from sys-audio to work: {reason}"), (failure.WireName, failure.Message));
        Assert.Single(Devices.Attached);
    });

    [Fact]
    public Task A_program_that_cannot_be_started_is_a_failure_as_well() => _loop.InvokeAsync(async () =>
    {
        File.Delete(Path.Combine(_directory, "client"));
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Mic, []));
        Assert.StartsWith("Failed to attach audio input from sys-audio to work: ", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Devices.Attached);
    });

    [Fact]
    public Task While_the_audiovm_is_told_another_call_is_refused() => _loop.InvokeAsync(async () =>
    {
        Client(Gated);
        Task first = Devices.AttachAsync(Mic, []);
        Assert.Equal("The microphone of work is being attached or detached already",
            (await Assert.ThrowsAsync<QubesException>(() => Devices.AttachAsync(Mic, []))).Message);
        await OpenGateAsync();
        await first;
        Assert.Single(Devices.Attached);
    });

    [Fact]
    public Task A_qube_that_stops_meanwhile_hears_nothing() => _loop.InvokeAsync(async () =>
    {
        Client(Gated);
        Task attaching = Devices.AttachAsync(Mic, []);
        _work.Runtime.State = PowerState.Halted;
        await OpenGateAsync();
        await Assert.ThrowsAsync<QubesException>(() => attaching);
        Assert.Empty(Devices.Attached);
        Assert.Equal([EnableCall, DisableCall], await File.ReadAllLinesAsync(Calls));
    });

    [Fact]
    public Task The_hearing_follows_to_another_audiovm() => _loop.InvokeAsync(async () =>
    {
        QubesVM second = CreateAudio("second");
        await Devices.AttachAsync(Mic, []);
        QubesVMProperties.AudioVM.Set(_work, second);
        Assert.Single(Devices.Attached);
        Assert.Equal("1", Encoding.ASCII.GetString(await second.QubesDb.ReadUntrustedAsync("/audio-input-config/work") ?? []));
        await UntilAsync(() => File.ReadAllLines(Calls).Contains(DisableCall));

        // Back again, to one that does not do it any more.
        Client("exit 1");
        QubesVMProperties.AudioVM.Set(_work, _audio);
        await UntilAsync(() => _failures.Count > 0);
        Assert.Equal("The microphone of work did not follow to sys-audio: Failed to attach audio input from sys-audio to work: pulseaudio agent not running",
            Assert.Single(_failures));
        Assert.Empty(Devices.Attached);
        Assert.Equal(["work"], _detached);
    });

    [Fact]
    public Task The_end_of_the_frontend_needs_no_call() => _loop.InvokeAsync(async () =>
    {
        await Devices.AttachAsync(Mic, []);
        _work.Runtime.State = PowerState.Halted;
        await _work.FireAsync("domain-shutdown");
        Assert.Empty(Devices.Attached);
        Assert.Equal([EnableCall], await File.ReadAllLinesAsync(Calls));
        Assert.Empty(await _audio.QubesDb.ListUntrustedAsync("/"));
    });

    [Theory]
    [InlineData("1", 1)]
    [InlineData("0", 0)]
    public Task A_restarted_daemon_believes_the_agent(string status, int attached) => _loop.InvokeAsync(async () =>
    {
        _audio.QubesDb.Write("/audio-input/work", status);
        MicSource restarted = Source();
        await restarted.AdoptAsync();
        Assert.Equal(attached, restarted.AttachedTo(_work).Count);
    });

    [Fact]
    public Task Without_qrexec_services_cannot_be_called() => _loop.InvokeAsync(async () =>
    {
        AudioInput input = new(services: null);
        Assert.Equal("Failed to attach audio input from sys-audio to work: no services can be called without qrexec",
            (await Assert.ThrowsAsync<QubesException>(() => input.SetAsync(_audio, _work, isOn: true))).Message);
    });

    private MicSource Source() =>
        new(_app, new AudioInput(new GuestServices(Path.Combine(_directory, "client"), new QubesPaths(_directory))));

    private async Task<string> EntryAsync(string path) => Encoding.ASCII.GetString(await _audio.QubesDb.ReadUntrustedAsync(path) ?? []);

    private Task OpenGateAsync() => File.WriteAllBytesAsync(Path.Combine(_directory, "client.go"), []);

    private static async Task UntilAsync(Func<bool> condition)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            await Task.Delay(10, patience.Token);
        }
    }

    private void Client(string script)
    {
        // Replaced as a whole: the one before may still be starting.
        string path = Path.Combine(_directory, "client");
        File.WriteAllBytes(path + ".new", Encoding.ASCII.GetBytes($"#!/bin/sh\necho \"$*\" >> '{path}.calls'\n{script}\n"));
        File.SetUnixFileMode(path + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Move(path + ".new", path, overwrite: true);
    }

    private QubesVM CreateAudio(string name)
    {
        QubesVM audio = Create(QubeClasses.AppVM, name);
        audio.Runtime.State = PowerState.Running;
        audio.QubesDb.Attach(new MemoryQubesDb(audio.QubesDb.TellChange));
        return audio;
    }

    private QubesVM Create(QubeClass qubeClass, string name) => (QubesVM)_app.Domains.Create(new NewQube
    {
        Class = qubeClass, Name = QubeName.Parse(name), Label = _app.Labels.Find("red"),
    });
}
