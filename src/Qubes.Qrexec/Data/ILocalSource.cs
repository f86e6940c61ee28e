namespace Qubes.Qrexec.Data;

/// <summary>Where the bytes come from that one end of a call sends to the other: a service's output, a caller's input.</summary>
public interface ILocalSource
{
    /// <summary>Reads at least one byte, waiting for it; 0 at the end.</summary>
    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Says to the writer, as far as it can be told, that nothing more is read.</summary>
    void Close();
}
