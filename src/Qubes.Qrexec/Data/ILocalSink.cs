namespace Qubes.Qrexec.Data;

/// <summary>Where the bytes go that one end of a call receives: a service's input, a caller's output.</summary>
public interface ILocalSink
{
    /// <summary>Writes all of it; false when nobody reads any more.</summary>
    ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Says to the reader that nothing more comes.</summary>
    void Close();
}
