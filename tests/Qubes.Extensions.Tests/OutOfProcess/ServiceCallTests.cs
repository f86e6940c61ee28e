using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Extensions.OutOfProcess;
using Qubes.Extensions.OutOfProcess.Calls;
using Qubes.Extensions.OutOfProcess.Configuration;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Host;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Storage;

namespace Qubes.Extensions.Tests.OutOfProcess;

/// <summary>Running services, with a program that says how it was called in the place of qrexec-client.</summary>
public sealed class ServiceCallTests : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("svc-").FullName;
    private readonly ModelLoop _loop = new(static e => Assert.Fail(e.ToString()));
    private readonly QubesPaths _paths;
    private readonly ExtensionEnvironment _environment;
    private readonly ExtensionSession _session;

    public ServiceCallTests()
    {
        _paths = new QubesPaths(_directory);
        string client = Path.Combine(_directory, "client");
        using (StreamWriter file = new(client))
        {
            file.Write("#!/bin/sh\necho \"$@\"\ncat >&2\nexit 3\n");
        }

        File.SetUnixFileMode(client, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        QubesApp app = new(new FixedHostFacts());
        app.Domains.Load(QubeClasses.AdminVM, default);
        app.FinishLoading();
        app.Domains.Create(new NewQube { Class = QubeClasses.StandaloneVM, Name = QubeName.Parse("work"), Label = Model.Labels.LabelSet.BuiltIn[0] });
        _environment = new ExtensionEnvironment
        {
            App = app, Loop = _loop, Storage = new StorageService(new StorageEnvironment { Paths = _paths }), Paths = _paths,
            Loggers = NullLoggerFactory.Instance, QrexecClientProgram = client,
        };
        _session = new ExtensionSession(new ExtensionDefinition { Name = "x", Program = "/x" }, _environment, channel: null!, NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _loop.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_service_of_dom0_runs_as_the_daemons_user_and_gets_its_input() => Assert.Equal(
        """{"exit_code":3,"output":"-t -T -d dom0 DEFAULT:QUBESRPC test.S\u002Ba dom0\n","error":"hello","truncated":false}""",
        await RunAsync("""{"qube": "dom0", "service": "test.S+a", "input": "hello"}"""));

    [Fact]
    public async Task A_halted_qube_is_started_only_if_that_is_asked_for()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_paths.AdminSocket)!);
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_paths.AdminSocket));
        listener.Listen();
        Assert.True((await Assert.ThrowsAsync<QubesException>(() => RunAsync("""{"qube": "work", "service": "test.S"}"""))).Is("QubesVMNotRunningError"));

        Task<string> asked = AnswerAsync(listener, "0\0");
        Assert.StartsWith(
            """{"exit_code":3,"output":"-t -T -d work ann:QUBESRPC test.S\u002B dom0\n",""",
            await RunAsync("""{"qube": "work", "service": "test.S", "user": "ann", "autostart": true}"""), StringComparison.Ordinal);
        Assert.Equal("admin.vm.Start+ dom0 name work\0", await asked);

        asked = AnswerAsync(listener, "2\0QubesVMError\0\0no kernel\0");
        RpcException refused = await Assert.ThrowsAsync<RpcException>(() => RunAsync("""{"qube": "work", "service": "test.S", "autostart": true}"""));
        Assert.Equal("no kernel", refused.Message);
        await asked;
    }

    private static async Task<string> AnswerAsync(Socket listener, string answer)
    {
        using Socket connection = await listener.AcceptAsync();
        using MemoryStream request = new();
        byte[] buffer = new byte[1024];
        while (await connection.ReceiveAsync(buffer) is var count and > 0)
        {
            request.Write(buffer, 0, count);
        }

        await connection.SendAsync(Encoding.ASCII.GetBytes(answer));
        return Encoding.ASCII.GetString(request.ToArray());
    }

    private async Task<string> RunAsync(string parameters)
    {
        using JsonDocument document = JsonDocument.Parse(parameters);
        Action<Utf8JsonWriter>? result = await ServiceCalls.RunAsync(_session, _environment, new RpcParams(document.RootElement));
        using MemoryStream text = new();
        using (Utf8JsonWriter writer = new(text))
        {
            result!(writer);
        }

        return Encoding.UTF8.GetString(text.ToArray());
    }
}
