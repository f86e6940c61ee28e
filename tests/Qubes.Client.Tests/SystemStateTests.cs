using System.Text;
using Qubes.Client.State;
using Qubes.Client.Transport;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qubes.Client.Tests;

public sealed class SystemStateTests
{
    private static readonly string Text =
        """{"format":1,"revision":7,"later":{"much":["more"]},"position":"run.3","system":{"properties":{""" + Property("clockvm", "vm", "null")
        + """},"labels":{},"pools":{}},""" + "\n" + "\"qubes\":{"
        + Qube("a", "AppVM", Property("memory", "int", "\"300\""), Property("label", "label", "\"red\"")) + ","
        + Qube("t", "TemplateVM", Property("label", "label", "\"red\"")) + ",\n"
        + Qube("b", "AppVM", Property("memory", "int", "\"300\""), Property("label", "label", "\"gr\\u00e9en\"")) + ","
        + Qube("c", "AppVM", Property("label", "label", "\"blue\""), Property("memory", "int", "\"400\"")) + "}}";

    [Fact]
    public void The_state_is_read_as_it_was_told()
    {
        SystemState state = SystemState.Parse(Encoding.UTF8.GetBytes(Text));
        Assert.Equal((7L, "run.3"), (state.Revision, state.Position));
        Assert.Null(state.System!.Properties["clockvm"].Value);
        Assert.Equal(["a", "b", "c", "t"], state.Qubes.Keys);
        Assert.Equal(["a 300 red", "b 300 gréen", "c 400 blue"], state.Qubes.Values.Where(q => q.Class == "AppVM").Select(
            q => $"{q.Name} {q.Properties["memory"].Value} {q.Properties["label"].Value}"));
        Assert.Equal(["label"], state.Qubes["t"].Properties.Keys);
        Assert.False(state.Qubes["t"].Properties.ContainsKey("memory"));
        Assert.Equal(["label", "memory"], state.Qubes["c"].Properties.Select(p => p.Key));
    }

    [Fact]
    public void What_qubes_have_in_common_is_kept_once()
    {
        SystemState state = SystemState.Parse(Encoding.UTF8.GetBytes(Text));
        Assert.Same(state.Qubes["a"].Properties["memory"], state.Qubes["b"].Properties["memory"]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    public async Task The_pieces_it_comes_in_do_not_matter(int size)
    {
        byte[] text = Encoding.UTF8.GetBytes(Text);
        SystemState state = await SystemState.ReadAsync(new Pieces(text, size));
        SystemState whole = SystemState.Parse(text);
        Assert.Equal((whole.Revision, whole.Position), (state.Revision, state.Position));
        Assert.Equal(
            whole.Qubes.Values.SelectMany(q => q.Properties.Select(p => (q.Name, q.Uuid, p.Key, p.Value))),
            state.Qubes.Values.SelectMany(q => q.Properties.Select(p => (q.Name, q.Uuid, p.Key, p.Value))));
    }

    [Fact]
    public async Task A_text_that_ends_early_or_has_another_form_is_an_error()
    {
        byte[] text = Encoding.UTF8.GetBytes(Text);
        for (int length = 0; length < text.Length; length++)
        {
            QubesException early = Assert.Throws<QubesException>(() => SystemState.Parse(text.AsMemory(0, length)));
            Assert.Equal(ClientErrors.CommunicationError, early.WireName);
        }

        foreach (string other in (string[])["[]", "{}", "1", "{\"qubes\":[]}", Text + "x", Text.Replace("\"revision\":7", "\"revision\":\"7\"", StringComparison.Ordinal)])
        {
            QubesException wrong = await Assert.ThrowsAsync<QubesException>(async () => await SystemState.ReadAsync(new Pieces(Encoding.UTF8.GetBytes(other), 64)));
            Assert.Equal(ClientErrors.CommunicationError, wrong.WireName);
        }
    }

    [Theory]
    [InlineData("2\0QubesVMNotFoundError\0\0no such %s\0qube\0", "QubesVMNotFoundError", "no such qube")]
    [InlineData("", ClientErrors.AccessError, null)]
    [InlineData("0", ClientErrors.CommunicationError, null)]
    [InlineData("9\0", ClientErrors.CommunicationError, null)]
    [InlineData("0\0{\"revision\"", ClientErrors.CommunicationError, null)]
    public async Task A_daemon_that_refuses_is_heard(string reply, string error, string? message)
    {
        using FakeDaemon daemon = new();
        daemon.AnswerRaw("admin.state.Get+ dom0", reply);
        QubesPaths paths = new(daemon.Root);
        QubesApp app = new(new SocketTransport(paths.AdminSocket, paths.RpcDirectory));
        QubesException refusal = await Assert.ThrowsAsync<QubesException>(async () => await app.GetStateAsync());
        Assert.Equal(error, refusal.WireName);
        Assert.Equal(message ?? refusal.Message, refusal.Message);
        daemon.Answer("admin.state.Get+ dom0", Text);
        Assert.Equal(4, (await app.GetStateAsync()).Qubes.Count);
    }

    private static string Qube(string name, string qubeClass, params string[] properties) =>
        $"\"{name}\":{{\"class\":\"{qubeClass}\",\"uuid\":\"{name}-uuid\",\"power_state\":\"Halted\",\"properties\":{{{string.Join(',', properties)}}},"
        + """ "features":{"f":"1"},"tags":["t"],"devices":[],"attached":null,"firewall":["action=accept"],"notes":""}""";

    private static string Property(string name, string type, string value) =>
        $"\"{name}\":{{\"type\":\"{type}\",\"value\":{value},\"default\":false}}";

    /// <summary>A stream that gives so many bytes at a time.</summary>
    private sealed class Pieces(byte[] text, int size) : MemoryStream(text)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
    }
}
