using Qubes.Protocol.QubesDb;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.QubesDb;

/// <summary>Reads messages from one peer. Nothing of a message is believed before it is checked.</summary>
internal sealed class MessageReader(IVchan vchan)
{
    private readonly byte[] _header = new byte[QubesDbHeader.Size];

    /// <summary>Null: the peer has ended.</summary>
    /// <exception cref="VchanClosedException">It ended inside a message.</exception>
    public async ValueTask<QubesDbHeader?> ReadHeaderAsync(CancellationToken cancellationToken) =>
        await vchan.TryReadExactlyAsync(_header, cancellationToken) ? QubesDbHeader.Read(_header) : null;

    /// <summary>The value after a valid header.</summary>
    public async ValueTask<byte[]> ReadValueAsync(QubesDbHeader header, CancellationToken cancellationToken)
    {
        byte[] value = header.DataLength == 0 ? [] : new byte[header.DataLength];
        await vchan.ReadExactlyAsync(value, cancellationToken);
        return value;
    }

    /// <summary>Passes over what follows a header. False: it is more than anybody may send.</summary>
    public async ValueTask<bool> TrySkipAsync(QubesDbHeader header, CancellationToken cancellationToken)
    {
        if (header.DataLength > QubesDbLimits.Skipped)
        {
            return false;
        }

        byte[] buffer = new byte[Math.Min(header.DataLength, 4096)];
        for (int left = (int)header.DataLength; left > 0;)
        {
            Memory<byte> part = buffer.AsMemory(0, Math.Min(left, buffer.Length));
            await vchan.ReadExactlyAsync(part, cancellationToken);
            left -= part.Length;
        }

        return true;
    }
}
