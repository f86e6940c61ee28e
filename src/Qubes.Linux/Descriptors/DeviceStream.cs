using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// A character device opened for reading and writing, as a stream. Each direction has a thread that may block in the kernel; cancelling does not interrupt a
/// write that the device does not take yet.
/// </summary>
public sealed class DeviceStream : Stream
{
    private readonly SafeFileHandle _device;
    private readonly InheritedDescriptor _reader;
    private readonly InheritedDescriptor _writer;

    private DeviceStream(SafeFileHandle device)
    {
        _device = device;
        _reader = InheritedDescriptor.ForReading((int)device.DangerousGetHandle());
        _writer = InheritedDescriptor.ForWriting((int)device.DangerousGetHandle(), largestWrite: int.MaxValue);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="LinuxException">The device is not there, or is in use.</exception>
    public static DeviceStream Open(string path)
    {
        var device = FileCalls.Open(path, FileCalls.O_RDWR | FileCalls.O_CLOEXEC, 0);
        return device.IsInvalid ? throw LinuxException.FromLastError("open", path) : new DeviceStream(device);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        await _reader.ReadAsync(buffer, cancellationToken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        await _writer.WriteAsync(buffer, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _reader.Dispose();
            _writer.Dispose();
            _device.Dispose();
        }

        base.Dispose(disposing);
    }
}
