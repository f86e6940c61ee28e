using System.Runtime.InteropServices;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// One direction of a descriptor we were started with: a terminal, pipe, file or socket. Its flags are left alone, because other processes share them;
/// so it cannot be used with the runtime's asynchronous calls, and a thread of its own waits for it in <c>poll</c>. One operation at a time.
/// </summary>
public sealed class InheritedDescriptor : IDisposable
{
    // POLLOUT on a pipe promises this much room (PIPE_BUF), so that a write cannot block.
    private const int SafeWrite = 4096;
    private const int ENOTSOCK = 88;
    private const int ECONNRESET = 104;
    private const int EIO = 5;

    private readonly int _fd;
    private readonly bool _isWriter;
    private readonly bool _isBothWays;
    private readonly int _largestWrite;
    private readonly SemaphoreSlim _requests = new(0);
    private readonly AnonymousPipe _wake = AnonymousPipe.Create();
    private Request? _request;
    private bool _isSocket = true;
    private bool _closed;
    private bool _disposed;

    private InheritedDescriptor(int fd, bool isWriter, bool isBothWays, int largestWrite)
    {
        _fd = fd;
        _isWriter = isWriter;
        _isBothWays = isBothWays;
        _largestWrite = largestWrite;
        new Thread(Run) { Name = $"descriptor {fd}", IsBackground = true }.Start();
    }

    /// <param name="fd">The descriptor.</param>
    /// <param name="isBothWays">It is a socket that is written to as well.</param>
    public static InheritedDescriptor ForReading(int fd, bool isBothWays = false) => new(fd, isWriter: false, isBothWays, 0);

    /// <param name="fd">The descriptor.</param>
    /// <param name="isBothWays">It is a socket that is read as well.</param>
    /// <param name="largestWrite">Most bytes of one system call, where it is no socket: more than the default may block the thread.</param>
    public static InheritedDescriptor ForWriting(int fd, bool isBothWays = false, int largestWrite = SafeWrite) =>
        new(fd, isWriter: true, isBothWays, largestWrite);

    /// <summary>Reads what there is, waiting for it. 0 is the end; a reset peer and a hung-up terminal are ends, too.</summary>
    /// <exception cref="LinuxException">The descriptor cannot be read.</exception>
    public Task<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => QueueAsync(buffer, cancellationToken);

    /// <summary>Writes all of it.</summary>
    /// <exception cref="LinuxException">EPIPE when nobody reads any more, or another failure.</exception>
    public async Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        while (!data.IsEmpty)
            data = data[await QueueAsync(MemoryMarshal.AsMemory(data), cancellationToken)..];
    }

    /// <summary>
    /// Ends this direction for us: closes the descriptor, or shuts down one way of a socket that is used both ways. Nothing else is shut down, sockets
    /// neither: whoever started us goes on with them.
    /// </summary>
    public void Close()
    {
        if (_closed)
            return;
        _closed = true;
        if (_isBothWays)
            _ = DescriptorCalls.Shutdown(_fd, _isWriter ? DescriptorCalls.SHUT_WR : DescriptorCalls.SHUT_RD);
        else
            _ = FileCalls.Close(_fd);
    }

    /// <summary>Ends the thread once it is idle. The descriptor itself stays open.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _requests.Release();
        }
    }

    private async Task<int> QueueAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed || _closed, this);
        cancellationToken.ThrowIfCancellationRequested();
        var request = new Request(buffer, cancellationToken);
        _request = request;
        await using (cancellationToken.UnsafeRegister(static self => ((InheritedDescriptor)self!).Wake(), this))
        {
            _requests.Release();
            return await request.Done.Task;
        }
    }

    private unsafe void Wake()
    {
        byte any = 1;
        _ = FileCalls.Write(_wake.Writer, &any, 1);
    }

    private void Run()
    {
        while (true)
        {
            _requests.Wait();
            if (_disposed)
                break;
            var request = _request!;
            try
            {
                var count = Perform(request);
                if (count < 0)
                    request.Done.TrySetCanceled(request.Cancellation);
                else
                    request.Done.TrySetResult(count);
            }
            catch (LinuxException e)
            {
                request.Done.TrySetException(e);
            }
        }

        _wake.Dispose();
    }

    // -1: cancelled.
    private unsafe int Perform(Request request)
    {
        var fds = stackalloc DescriptorCalls.PollFd[2];
        while (true)
        {
            fds[0] = new() { Fd = _fd, Events = _isWriter ? DescriptorCalls.POLLOUT : DescriptorCalls.POLLIN };
            fds[1] = new() { Fd = (int)_wake.Reader.DangerousGetHandle(), Events = DescriptorCalls.POLLIN };
            if (DescriptorCalls.Poll(fds, 2, -1) < 0)
            {
                if (Marshal.GetLastPInvokeError() == Errno.EINTR)
                    continue;
                throw LinuxException.FromLastError("poll");
            }

            if (fds[1].Revents != 0)
            {
                // A wake-up may be left from an earlier operation that ended just before it was cancelled.
                byte drained;
                _ = DescriptorCalls.Read(fds[1].Fd, &drained, 1);
                if (request.Cancellation.IsCancellationRequested)
                    return -1;
            }

            if (fds[0].Revents == 0)
                continue;
            using var pin = request.Buffer.Pin();
            var done = _isWriter ? Write((byte*)pin.Pointer, request.Buffer.Length) : DescriptorCalls.Read(_fd, (byte*)pin.Pointer, (nuint)request.Buffer.Length);
            if (done >= 0)
                return (int)done;
            var error = Marshal.GetLastPInvokeError();
            if (error is Errno.EAGAIN or Errno.EINTR)
                continue;
            if (!_isWriter && error is ECONNRESET or EIO)
                return 0;
            throw new LinuxException(_isWriter ? "write" : "read", error);
        }
    }

    private unsafe nint Write(byte* data, int length)
    {
        if (_isSocket)
        {
            var sent = DescriptorCalls.Send(_fd, data, (nuint)length, DescriptorCalls.MSG_DONTWAIT | DescriptorCalls.MSG_NOSIGNAL);
            if (sent >= 0 || Marshal.GetLastPInvokeError() != ENOTSOCK)
                return sent;
            _isSocket = false;
        }

        return DescriptorCalls.Write(_fd, data, (nuint)Math.Min(length, _largestWrite));
    }

    private sealed class Request(Memory<byte> buffer, CancellationToken cancellation)
    {
        public Memory<byte> Buffer { get; } = buffer;

        public CancellationToken Cancellation { get; } = cancellation;

        public TaskCompletionSource<int> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
