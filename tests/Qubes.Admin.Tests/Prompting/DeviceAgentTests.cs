using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Admin.Prompting;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Policy.Prompting;
using Qubes.Protocol.Devices;

namespace Qubes.Admin.Tests.Prompting;

public sealed class DeviceAgentTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static DeviceInfo Device(string port = "1-1") => new()
    {
        Device = new VirtualDevice(new DevicePort("usb", "sys-usb", port), "dead:beef"), Vendor = "Äcme", Product = "Thing",
    };

    [Theory]
    [InlineData("allow:work", "work")]
    [InlineData("allow:other", null)]
    [InlineData("allow:", null)]
    [InlineData("deny", null)]
    [InlineData("", null)]
    public async Task The_qube_that_was_chosen_gets_the_device(string answer, string? chosen)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("other");
        ScriptedAgent agent = new() { Answer = Task.FromResult(answer) };
        Assert.Equal(chosen, await AskAsync(fixture, agent, Device(), "work"));
        (string guiVm, string service, string json) = Assert.Single(agent.Calls);
        Assert.Equal(("dom0", "device-agent.GUI"), (guiVm, service));
        using JsonDocument question = JsonDocument.Parse(json);
        Assert.Equal(["source", "device_name", "argument", "targets", "default_target", "icons"], question.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal("sys-usb", question.RootElement.GetProperty("source").GetString());
        Assert.Equal("USB device: Äcme Thing", question.RootElement.GetProperty("device_name").GetString());
        Assert.Equal("work", question.RootElement.GetProperty("default_target").GetString());
        Assert.Equal("appvm-red", question.RootElement.GetProperty("icons").GetProperty("work").GetString());
        Assert.True(json.All(char.IsAscii));
    }

    [Fact]
    public async Task Of_several_none_is_proposed()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("other");
        ScriptedAgent agent = new() { Answer = Task.FromResult("allow:other") };
        Assert.Equal("other", await AskAsync(fixture, agent, Device(), "work", "other"));
        using JsonDocument question = JsonDocument.Parse(agent.Calls[0].Json);
        Assert.Equal("", question.RootElement.GetProperty("default_target").GetString());
        Assert.Equal(["work", "other"], question.RootElement.GetProperty("targets").EnumerateArray().Select(t => t.GetString()));
    }

    [Fact]
    public async Task People_are_asked_where_the_windows_are_and_in_dom0_if_they_are_in_different_places()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        foreach (string name in (string[])["gui", "other", "third"])
        {
            await fixture.AddQubeAsync(name);
        }

        await fixture.OnLoopAsync(app =>
        {
            foreach (string name in (string[])["work", "other"])
            {
                QubesVMProperties.GuiVM.Set((QubesVM)app.Domains[name], (LocalQube)app.Domains["gui"]);
            }
        });
        ScriptedAgent agent = new() { Answer = Task.FromResult("deny") };
        await AskAsync(fixture, agent, Device(), "work", "other");
        await AskAsync(fixture, agent, Device(), "work", "third");
        Assert.Equal(["gui", "dom0"], agent.Calls.Select(c => c.GuiVm));
    }

    [Fact]
    public async Task A_question_about_a_device_that_is_gone_is_withdrawn()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("sys-usb");
        ScriptedAgent agent = new();
        Task<string?> asking = AskAsync(fixture, agent, Device(), "work");
        await agent.Asked.Task.WaitAsync(Patience);
        await fixture.OnLoopAsync(app => app.Domains["sys-usb"].Fire("device-removed:usb", EventArguments.Of("port", Device("1-2").Port)));
        Assert.False(asking.IsCompleted);
        await fixture.OnLoopAsync(app => app.Domains["sys-usb"].Fire("device-removed:usb", EventArguments.Of("port", Device().Port)));
        Assert.Null(await asking.WaitAsync(Patience));
    }

    [Fact]
    public async Task One_backend_cannot_open_any_number_of_questions_and_a_failing_agent_is_a_no()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        ScriptedAgent agent = new();
        string?[] answers = await fixture.Loop.InvokeAsync(async () =>
        {
            DeviceAgent prompt = new(fixture.App, agent, NullLogger.Instance);
            LocalQube[] work = [(LocalQube)fixture.App.Domains["work"]];
            Task<LocalQube?>[] open = [.. Enumerable.Range(1, 9).Select(i => prompt.AskAsync(Device($"1-{i}"), work))];
            Assert.True(open[8].IsCompleted);
            Assert.Equal(8, agent.Calls.Count);
            agent.Failing.SetException(new IOException("gone"));
            return (await Task.WhenAll(open)).Select(q => q?.Name.Value).ToArray();
        });
        Assert.All(answers, Assert.Null);
    }

    private static Task<string?> AskAsync(AdminFixture fixture, ScriptedAgent agent, DeviceInfo device, params string[] candidates) =>
        fixture.Loop.InvokeAsync(async () =>
        {
            DeviceAgent prompt = new(fixture.App, agent, NullLogger.Instance);
            return (await prompt.AskAsync(device, [.. candidates.Select(name => (LocalQube)fixture.App.Domains[name])]))?.Name.Value;
        });

    private sealed class ScriptedAgent : ISessionAgent
    {
        public List<(string GuiVm, string Service, string Json)> Calls { get; } = [];

        public TaskCompletionSource Asked { get; } = new();

        public TaskCompletionSource<string> Failing { get; } = new();

        public Task<string>? Answer { get; init; }

        public Task<string> CallAsync(string guiVm, string service, string json, CancellationToken cancellationToken)
        {
            Calls.Add((guiVm, service, json));
            Asked.TrySetResult();
            return (Answer ?? Failing.Task).WaitAsync(cancellationToken);
        }
    }
}
