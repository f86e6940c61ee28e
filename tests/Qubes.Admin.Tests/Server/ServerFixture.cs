using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Admin.Server;
using Qubes.Linux;

namespace Qubes.Admin.Tests.Server;

/// <summary>A server on a scratch socket, whose calls a test handles itself.</summary>
internal sealed class ServerFixture : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-admin-").FullName;
    private readonly Reactor _reactor;

    private ServerFixture()
    {
        _reactor = new Reactor(Failures.Add);
        Loop = new ModelLoop(Failures.Add, waiter: _reactor);
    }

    public List<Exception> Failures { get; } = [];

    public ModelLoop Loop { get; }

    public AdminServer Server { get; private set; } = null!;

    public string SocketPath => Path.Combine(_directory, "qubesd.sock");

    public static async Task<ServerFixture> StartAsync(AdminCallback handle, AdminServerLimits? limits = null)
    {
        ServerFixture fixture = new();
        UnixListener listener = UnixListener.Bind(fixture.SocketPath, UnixFileMode.UserRead | UnixFileMode.UserWrite, backlog: 4096);
        await fixture.Loop.InvokeAsync(() =>
        {
            fixture.Server = new AdminServer(fixture._reactor, new Dispatcher(handle), limits ?? new AdminServerLimits(), NullLogger.Instance);
            fixture.Server.Listen(listener, AdminSocketKind.Admin);
        });
        return fixture;
    }

    public async ValueTask DisposeAsync()
    {
        await Loop.InvokeAsync(() =>
        {
            _ = Server.StopAcceptingAsync();
            Server.CloseAll();
        });
        await Loop.DisposeAsync();
        _reactor.Dispose();
        Directory.Delete(_directory, recursive: true);
        Assert.Empty(Failures);
    }

    public delegate void AdminCallback(AdminConnection connection, ReadOnlySpan<byte> request);

    private sealed class Dispatcher(AdminCallback handle) : IAdminDispatcher
    {
        public void Dispatch(AdminConnection connection, ReadOnlySpan<byte> untrustedRequest) => handle(connection, untrustedRequest);
    }
}
