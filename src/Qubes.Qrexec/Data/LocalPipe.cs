namespace Qubes.Qrexec.Data;

/// <summary>The reading end of a pipe, for the error output of a service. The stream stays its owner's.</summary>
public sealed class LocalPipe(Stream reader) : ILocalSource
{
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    public void Close() => reader.Dispose();
}
