using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>A listening UNIX stream socket at a path, with mode and group set before anyone can reach it.</summary>
/// <remarks>
/// The socket is bound under a temporary name, made accessible, and renamed into place: there is no moment with the wrong
/// mode, and a socket file left by a crash is replaced atomically. A path where somebody still listens is refused, after a moment:
/// what a killed process was just starting holds its descriptors until it runs its program, and would be taken for the living.
/// </remarks>
public sealed class UnixListener : IDisposable
{
    private static readonly TimeSpan Afterlife = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AfterlifePoll = TimeSpan.FromMilliseconds(20);

    private readonly Socket _socket;
    private readonly FileStatus _file;
    private int _disposed;

    private UnixListener(Socket socket, string path, FileStatus file)
    {
        _file = file;
        _socket = socket;
        LocalPath = path;
    }

    public string LocalPath { get; }

    /// <summary>The socket itself, made non-blocking, for a <see cref="Reactor"/>. Stays the listener's.</summary>
    public SafeHandle NonBlockingHandle
    {
        get
        {
            _socket.Blocking = false;
            return _socket.SafeHandle;
        }
    }

    /// <summary>Starts listening at <paramref name="path"/>, whose directory must exist.</summary>
    /// <param name="groupId">Group of the socket file; null leaves the process's.</param>
    /// <exception cref="IOException">Another process listens there, or a file that is no socket is in the way, and it is not for root to ignore it.</exception>
    public static UnixListener Bind(string path, UnixFileMode mode, uint? groupId = null, int backlog = 128)
    {
        RefuseUnlessFreeOrStale(path);
        var temporary = path + "." + KernelRandom.HexString(4);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            using (var address = new UnixAddress(temporary))
                socket.Bind(address.EndPoint);
            if (groupId is { } gid && FileCalls.Lchown(temporary, uint.MaxValue, gid) != 0)
                throw LinuxException.FromLastError("lchown", path);
            if (FileCalls.Chmod(temporary, (uint)mode) != 0)
                throw LinuxException.FromLastError("chmod", path);
            socket.Listen(backlog);
            if (FileCalls.Rename(temporary, path) != 0)
                throw LinuxException.FromLastError("rename", path);
            return new UnixListener(socket, path, FileStatus.Find(path).GetValueOrDefault());
        }
        catch
        {
            _ = FileCalls.Unlink(temporary);
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The next connection. Ends with <see cref="OperationCanceledException"/> or <see cref="SocketException"/> after <see cref="Dispose"/>.</summary>
    public async ValueTask<Socket> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _socket.AcceptAsync(cancellationToken);

    /// <summary>Stops listening and removes the socket file, unless another instance has taken its place.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        if (FileStatus.Find(LocalPath) is { } status && status.IsSameFileAs(_file))
            _ = FileCalls.Unlink(LocalPath);
        _socket.Dispose();
    }

    private static void RefuseUnlessFreeOrStale(string path)
    {
        using ManualResetEventSlim never = new();
        var begun = Stopwatch.GetTimestamp();
        // Root takes the place of what somebody without its rights has put there.
        while (FileStatus.Find(path) is { } status && !(UserAccount.IsRoot && status.UserId != 0))
        {
            if (!status.IsSocket)
                throw new IOException($"'{path}' exists and is not a socket.");
            if (!IsListenedTo(path))
                return;
            if (Stopwatch.GetElapsedTime(begun) >= Afterlife)
                throw new IOException($"Another process listens on '{path}'.");
            // Nothing tells when the last copy of a listening descriptor is closed.
            never.Wait(AfterlifePoll);
        }
    }

    private static bool IsListenedTo(string path)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        // A full backlog must not make the probe hang: a listener that is too busy to accept is alive.
        probe.Blocking = false;
        try
        {
            using var address = new UnixAddress(path);
            probe.Connect(address.EndPoint);
            return true;
        }
        catch (SocketException refused) when (refused.SocketErrorCode is SocketError.ConnectionRefused)
        {
            return false;
        }
        catch (SocketException busy) when (busy.SocketErrorCode is SocketError.WouldBlock)
        {
            return true;
        }
    }
}
