using System.Net.Sockets;
using System.Text;
using Qubes.Linux;
using Qubes.Qrexec.Services;

namespace Qubes.Qrexec.Tests.Services;

public sealed class ServiceLauncherTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public async Task A_program_gets_its_argument_its_variables_and_its_streams()
    {
        string path = _scratch.File("svc", """
            #!/bin/sh
            printf '%s|%s|%s|%s|%s|%s|%s|' "$#" "$1" "$QREXEC_SERVICE_FULL_NAME" "$QREXEC_REMOTE_DOMAIN" "$QREXEC_SERVICE_ARGUMENT" "$QREXEC_REQUESTED_TARGET_TYPE" "$QREXEC_REQUESTED_TARGET_KEYWORD"
            cat
            exit 7
            """, executable: true);
        using RunningService running = await StartAsync(new ExecutableService(path), "test.S+a b keyword adminvm");
        await running.Input.SendAsync("hello"u8.ToArray());
        running.Input.Shutdown(SocketShutdown.Send);
        Assert.Equal("1|a|test.S+a|b|a|keyword|adminvm|hello", await ReadAllAsync(running.Output));
        Assert.Equal(7, await running.ExitStatus.WaitAsync(Limit));
    }

    [Fact]
    public void Without_plus_there_is_no_argument_variable_and_with_an_empty_argument_no_argument()
    {
        Assert.DoesNotContain("QREXEC_SERVICE_ARGUMENT", ServiceEnvironment.VariablesOf(ServiceLookupTests.Call("test.S vm")).Keys);
        Assert.Equal("", ServiceEnvironment.VariablesOf(ServiceLookupTests.Call("test.S+ vm"))["QREXEC_SERVICE_ARGUMENT"]);
        Assert.Empty(ServiceProgram.For(new ExecutableService("/x"), ServiceLookupTests.Call("test.S+ vm")).Arguments);
    }

    [Fact]
    public void Inherited_qrexec_variables_do_not_leak_into_a_service()
    {
        Environment.SetEnvironmentVariable("QREXEC_REQUESTED_TARGET", "stale");
        try
        {
            Assert.Null(ServiceEnvironment.ChangesFor(ServiceLookupTests.Call("test.S vm"))["QREXEC_REQUESTED_TARGET"]);
        }
        finally
        {
            Environment.SetEnvironmentVariable("QREXEC_REQUESTED_TARGET", null);
        }
    }

    [Theory]
    [InlineData("test.S vm name")]
    [InlineData("test.S vm name dom0 more")]
    [InlineData("test.S vm other dom0")]
    public void A_call_with_an_odd_number_of_words_or_an_unknown_type_is_a_problem(string call) =>
        Assert.Equal(125, Assert.Throws<ServiceException>(() => ServiceEnvironment.VariablesOf(ServiceLookupTests.Call(call))).ExitCode);

    [Fact]
    public async Task A_status_by_signal_is_128_plus_its_number()
    {
        string path = _scratch.File("svc", "#!/bin/sh\nkill -9 $$\n", executable: true);
        using RunningService running = await StartAsync(new ExecutableService(path), "test.S vm");
        Assert.Equal(128 + 9, await running.ExitStatus.WaitAsync(Limit));
    }

    [Fact]
    public async Task A_missing_interpreter_is_not_found_and_a_file_that_is_no_program_a_problem()
    {
        string orphan = _scratch.File("orphan", "#!/nonexistent/interpreter\n", executable: true);
        string noise = _scratch.File("noise", "\u0001\u0002\u0003", executable: true);
        Assert.Equal(127, (await Assert.ThrowsAsync<ServiceException>(() => StartAsync(new ExecutableService(orphan), "test.S vm"))).ExitCode);
        Assert.Equal(125, (await Assert.ThrowsAsync<ServiceException>(() => StartAsync(new ExecutableService(noise), "test.S vm"))).ExitCode);
    }

    [Theory]
    [InlineData(false, "admin.vm.List+ vm keyword adminvm\0payload")]
    [InlineData(true, "payload")]
    public async Task A_socket_gets_the_descriptor_before_the_payload_unless_it_is_switched_off(bool skip, string expected)
    {
        using UnixListener listener = UnixListener.Bind(_scratch.Path("s"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        ServiceConfiguration configuration = new() { SkipServiceDescriptor = skip };
        using RunningService running = await ServiceLauncher.StartAsync(
            new UnixSocketService(_scratch.Path("s")), ServiceLookupTests.Call("admin.vm.List+ vm keyword adminvm"), configuration, null, default);
        using Socket accepted = await listener.AcceptAsync();
        await running.Input.SendAsync("payload"u8.ToArray());
        running.Input.Shutdown(SocketShutdown.Send);
        Assert.Equal(expected, await ReadAllAsync(accepted));
        Assert.Equal(0, await running.ExitStatus);
    }

    [Fact]
    public async Task A_socket_nobody_listens_on_is_a_problem()
    {
        Socket dead = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dead.Bind(new UnixDomainSocketEndPoint(_scratch.Path("s")));
        Assert.Equal(125, (await Assert.ThrowsAsync<ServiceException>(() => StartAsync(new UnixSocketService(_scratch.Path("s")), "test.S vm"))).ExitCode);
        dead.Dispose();
    }

    [Fact]
    public async Task The_session_helper_gets_the_user_and_the_source_and_is_waited_for()
    {
        string trace = _scratch.Path("trace");
        _scratch.File("rpc/qubes.WaitForSession", $"#!/bin/sh\nread user\necho \"$user $QREXEC_REMOTE_DOMAIN\" > {trace}\nexit 3\n", executable: true);
        SessionWaiter waiter = new(new ServiceLookup(new ServicePaths([_scratch.Path("rpc")], [])));
        await waiter.WaitAsync("alice", "work", null, CancellationToken.None).WaitAsync(Limit);
        Assert.Equal("alice work\n", await File.ReadAllTextAsync(trace));
    }

    private static async Task<RunningService> StartAsync(QrexecService service, string call) =>
        await ServiceLauncher.StartAsync(service, ServiceLookupTests.Call(call), ServiceConfiguration.Default, null, CancellationToken.None);

    private static async Task<string> ReadAllAsync(Socket socket)
    {
        await using NetworkStream stream = new(socket, ownsSocket: false);
        using StreamReader reader = new(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync().WaitAsync(Limit);
    }
}
