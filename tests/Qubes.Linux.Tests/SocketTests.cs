using System.Net.Sockets;

namespace Qubes.Linux.Tests;

public sealed class SocketTests : IDisposable
{
    private const UnixFileMode GroupMayConnect = (UnixFileMode)0x1B0; // 0660
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_peer_is_known_by_process_user_and_group()
    {
        using var listener = UnixListener.Bind(_directory["socket"], GroupMayConnect);
        using var client = await UnixAddress.ConnectAsync(_directory["socket"]);
        using var accepted = await listener.AcceptAsync().AsTask().WaitAsync(Patience);
        var peer = PeerCredentials.Of(accepted);
        Assert.Equal(Environment.ProcessId, peer.ProcessId);
        var ours = FileStatus.Find(_directory.Path)!.Value;
        Assert.Equal((ours.UserId, ours.GroupId), (peer.UserId, peer.GroupId));
    }

    [Fact]
    public void Mode_is_set_and_the_file_goes_with_the_listener()
    {
        using (UnixListener.Bind(_directory["socket"], GroupMayConnect))
            Assert.Equal(GroupMayConnect, FileStatus.Find(_directory["socket"])!.Value.Permissions);
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task A_socket_left_by_a_crash_is_replaced()
    {
        using (var crashed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // Bound under another name and moved, so that closing it leaves the file as a crash does.
            crashed.Bind(new UnixDomainSocketEndPoint(_directory["bound"]));
            crashed.Listen();
            File.Move(_directory["bound"], _directory["socket"]);
        }

        Assert.True(FileStatus.Find(_directory["socket"])!.Value.IsSocket);
        using var listener = UnixListener.Bind(_directory["socket"], GroupMayConnect);
        using var client = await UnixAddress.ConnectAsync(_directory["socket"]);
    }

    [Fact]
    public async Task A_socket_that_outlives_its_killed_owner_for_a_moment_is_replaced()
    {
        // As a child between fork and exec does, which has a copy of each descriptor.
        var heir = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        heir.Bind(new UnixDomainSocketEndPoint(_directory["bound"]));
        heir.Listen();
        File.Move(_directory["bound"], _directory["socket"]);
        var bind = Task.Run(() => UnixListener.Bind(_directory["socket"], GroupMayConnect));
        // The first look at it has come as far as a connection: from here on it is known to be listened to.
        using (await heir.AcceptAsync().WaitAsync(Patience))
            heir.Dispose();
        using var listener = await bind.WaitAsync(Patience);
        using var client = await UnixAddress.ConnectAsync(_directory["socket"]);
    }

    [Fact]
    public void A_socket_where_somebody_listens_is_left_alone()
    {
        using var first = UnixListener.Bind(_directory["socket"], GroupMayConnect);
        Assert.Throws<IOException>(() => UnixListener.Bind(_directory["socket"], GroupMayConnect));
        Assert.True(File.Exists(_directory["socket"]));
    }

    [Fact]
    public void A_file_that_is_no_socket_is_left_alone()
    {
        File.WriteAllBytes(_directory["socket"], "precious"u8.ToArray());
        Assert.Throws<IOException>(() => UnixListener.Bind(_directory["socket"], GroupMayConnect));
        Assert.Equal("precious", File.ReadAllText(_directory["socket"]));
    }

    [Fact]
    public void An_old_listener_does_not_remove_the_socket_of_its_successor()
    {
        var old = UnixListener.Bind(_directory["socket"], GroupMayConnect);
        File.Delete(_directory["socket"]);
        using var successor = UnixListener.Bind(_directory["socket"], GroupMayConnect);
        old.Dispose();
        Assert.True(File.Exists(_directory["socket"]));
    }

    [Fact]
    public async Task A_path_longer_than_the_kernels_address_works()
    {
        var deep = Directory.CreateDirectory(_directory[new string('d', 120)]).FullName;
        var path = Path.Combine(deep, "socket");
        using var listener = UnixListener.Bind(path, GroupMayConnect);
        using var client = await UnixAddress.ConnectAsync(path);
        using var accepted = await listener.AcceptAsync().AsTask().WaitAsync(Patience);
        Assert.True(FileStatus.Find(path)!.Value.IsSocket);
    }
}
