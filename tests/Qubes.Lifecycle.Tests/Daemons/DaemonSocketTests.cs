using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Lifecycle.Daemons;
using Qubes.Linux;

namespace Qubes.Lifecycle.Tests.Daemons;

/// <summary>Who is taken for a daemon, in a directory where others may make files.</summary>
public sealed class DaemonSocketTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-socket-").FullName;
    private readonly DaemonSocket _socket = new(account: null);

    private string Served => Path.Combine(Directory.CreateDirectory(Path.Combine(_directory, "elsewhere")).FullName, "served");

    private string Here => Path.Combine(_directory, "qrexec.work");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_socket_in_its_place_and_a_link_beside_it_are_a_daemons()
    {
        using UnixListener daemon = UnixListener.Bind(Path.Combine(_directory, "qrexec.7"), Private);
        File.CreateSymbolicLink(Here, "qrexec.7");
        (await _socket.ConnectAsync(Here).WaitAsync(Patience)).Dispose();
        FoundDaemon? found = await _socket.IdentifyAsync(Here).WaitAsync(Patience);
        Assert.Equal((Environment.ProcessId, true), (found!.Value.Daemon.Id, found.Value.IsOurs));
    }

    [Fact]
    public Task A_link_out_of_the_directory_is_nobodys() => AssertNobodyAsync(() => File.CreateSymbolicLink(Here, "elsewhere/served"));

    [Fact]
    public Task A_second_name_of_another_socket_is_nobodys() => AssertNobodyAsync(() => Link(Served, Here));

    [Fact]
    public async Task A_socket_of_somebody_else_is_no_daemon_and_is_not_spoken_to()
    {
        // To one whose daemons are another's, we are somebody else.
        DaemonSocket others = new(new DaemonAccount(new UserAccount("other", UserAccount.CurrentUserId + 1, 1, "/", "/bin/sh", []), 1));
        using UnixListener daemon = UnixListener.Bind(Here, Private);
        await Assert.ThrowsAsync<SocketException>(() => others.ConnectAsync(Here)).WaitAsync(Patience);
        FoundDaemon? found = await others.IdentifyAsync(Here).WaitAsync(Patience);

        // Root ends it, so that one of its own can take its place.
        Assert.Equal(UserAccount.IsRoot ? false : null, found?.IsOurs);
    }

    [Fact]
    public async Task What_is_nobodys_is_not_ended()
    {
        using UnixListener served = UnixListener.Bind(Served, Private);
        File.CreateSymbolicLink(Here, "elsewhere/served");
        Assert.Null(await new DaemonLauncher(TimeProvider.System, NullLogger.Instance).FindAsync(Here).WaitAsync(Patience));
        using Socket still = await UnixAddress.ConnectAsync(Served).WaitAsync(Patience);
    }

    private static void Link(string existing, string name)
    {
        using RootedDirectory root = RootedDirectory.Open(Path.GetDirectoryName(name)!);
        root.Link(Path.GetRelativePath(root.FullPath, existing), Path.GetFileName(name));
    }

    private async Task AssertNobodyAsync(Action plant)
    {
        using UnixListener served = UnixListener.Bind(Served, Private);
        plant();
        Assert.Null(await _socket.IdentifyAsync(Here).WaitAsync(Patience));
        await Assert.ThrowsAsync<SocketException>(() => _socket.ConnectAsync(Here)).WaitAsync(Patience);
    }
}
