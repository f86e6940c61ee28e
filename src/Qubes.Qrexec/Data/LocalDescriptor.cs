using Qubes.Linux;

namespace Qubes.Qrexec.Data;

/// <summary>One of our own standard streams as local end.</summary>
public sealed class LocalDescriptor(InheritedDescriptor descriptor) : ILocalSource, ILocalSink
{
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await descriptor.ReadAsync(buffer, cancellationToken);
        }
        catch (LinuxException)
        {
            // What can not be read has nothing to send (a directory, a write-only descriptor).
            return 0;
        }
    }

    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            await descriptor.WriteAsync(data, cancellationToken);
            return true;
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    public void Close() => descriptor.Close();
}
