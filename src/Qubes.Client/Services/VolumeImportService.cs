using System.Buffers;
using System.Globalization;
using System.Text;
using Qubes.Client.Transport;
using Qubes.Linux;

namespace Qubes.Client.Services;

/// <summary>
/// The services <c>admin.vm.volume.Import</c> and <c>admin.vm.volume.ImportWithSize</c>: the data of a volume is too much for the
/// daemon's socket, so the daemon says where it is to be put, this program puts it there, and the daemon is told how that went.
/// </summary>
/// <param name="transport">The daemon's internal socket, on behalf of the caller.</param>
/// <param name="destination">The qube whose volume it is.</param>
/// <param name="volume">The volume's name.</param>
public sealed class VolumeImportService(IAdminTransport transport, string destination, string volume)
{
    private const int MostSizeDigits = 20;
    private const int BlockSize = 128 * 1024;

    /// <summary>Runs the service.</summary>
    /// <param name="input">With <paramref name="withSize"/>, a line with the size in bytes; then the data.</param>
    /// <param name="output">Gets the reply for the caller.</param>
    /// <param name="withSize">Whether the volume is to take the size of the data.</param>
    /// <param name="cancellation">Ends the transfer; the volume keeps its old content.</param>
    /// <returns>The exit status.</returns>
    public async Task<int> RunAsync(Stream input, Stream output, bool withSize, CancellationToken cancellation = default)
    {
        byte[] size = withSize ? await ReadSizeAsync(input, cancellation) : [];
        ReadOnlyMemory<byte> begun = await transport.SendAsync(new AdminCall(destination, "internal.vm.volume.ImportBegin", volume, size), cancellation);
        if (!begun.Span.StartsWith("0\0"u8))
        {
            await output.WriteAsync(begun, cancellation);
            return 1;
        }

        // <size> SP <path>
        string[] target = Encoding.UTF8.GetString(begun.Span[2..]).Split(' ', 2);
        string result = "fail\nunexpected answer of the daemon";
        if (target.Length == 2 && long.TryParse(target[0], NumberStyles.None, CultureInfo.InvariantCulture, out long expected))
        {
            result = await CopyAsync(input, target[1], expected, cancellation) is { } fault ? $"fail\n{fault}" : "ok";
        }

        await output.WriteAsync(
            await transport.SendAsync(
                new AdminCall(destination, "internal.vm.volume.ImportEnd", volume, Encoding.UTF8.GetBytes(result)), cancellation),
            cancellation);
        return 0;
    }

    // One byte at a time: what follows the line is data that must not be taken with it.
    private static async Task<byte[]> ReadSizeAsync(Stream input, CancellationToken cancellation)
    {
        byte[] line = new byte[MostSizeDigits];
        byte[] next = new byte[1];
        for (int length = 0; length <= MostSizeDigits; length++)
        {
            if (await input.ReadAsync(next, cancellation) == 0 || next[0] == '\n')
            {
                return line[..length];
            }

            if (length < MostSizeDigits)
            {
                line[length] = next[0];
            }
        }

        return line;
    }

    /// <summary>Copies exactly <paramref name="expected"/> bytes; returns what went wrong, or null.</summary>
    private static async Task<string?> CopyAsync(Stream input, string path, long expected, CancellationToken cancellation)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            // Never created here: the path is the daemon's, and what is there is what it prepared.
            await using FileStream target = new(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, BufferSize = 0 });
            long copied = 0;
            while (copied < expected)
            {
                int wanted = (int)Math.Min(BlockSize, expected - copied);
                int read = await input.ReadAtLeastAsync(block.AsMemory(0, wanted), wanted, throwOnEndOfStream: false, cancellation);
                if (read == 0)
                {
                    return $"not enough data (copied {copied} bytes, expected {expected} bytes)";
                }

                // The file is empty space until written: blocks of zeroes stay holes.
                if (block.AsSpan(0, read).ContainsAnyExcept((byte)0))
                {
                    target.Position = copied;
                    await target.WriteAsync(block.AsMemory(0, read), cancellation);
                }

                copied += read;
            }

            if (await input.ReadAsync(block.AsMemory(0, 1), cancellation) > 0)
            {
                return $"too much data (expected {expected} bytes)";
            }

            target.Flush(flushToDisk: true);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"error copying data: {LogText.Escape(e.Message)}";
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }
}
