using System.Buffers;
using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Protocol.Admin;
using Qubes.Qrexec.CommandLine;
using Qubes.Qrexec.IO;

namespace Qubes.Qrexec.Client;

/// <summary>The program qubesd-query: one call of the Admin API in raw form, for scripts that are services.</summary>
public static class QubesdQueryProgram
{
    /// <summary>The name under which the multi-call program runs it.</summary>
    public const string Name = "qubesd-query";

    private const int UsageError = 2;
    private const int NoReply = 1;

    /// <summary>Runs the program on the given streams and returns its exit status.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Stream input, Stream output, TextWriter error)
    {
        try
        {
            QubesdQueryOptions options = QubesdQueryOptions.Parse(arguments);
            if (options.IsHelp)
            {
                await error.WriteLineAsync(QubesdQueryOptions.Usage);
                return 0;
            }

            byte[] payload = options.IsEmpty ? []
                : options.IsSingleLine ? await ReadLineAsync(input, options.MaxBytes)
                : await ReadAllAsync(input, options.MaxBytes);
            int kind = await CallAsync(options, payload, output);
            return options.Fail ? kind : 0;
        }
        catch (UsageException e)
        {
            await error.WriteLineAsync($"{QubesdQueryOptions.Usage}\n{Name}: error: {e.Message}");
            return UsageError;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            await error.WriteLineAsync($"{Name}: {e.Message}");
            return NoReply;
        }
    }

    private static async Task<int> CallAsync(QubesdQueryOptions options, byte[] payload, Stream output)
    {
        ArrayBufferWriter<byte> request = new();
        try
        {
            AdminRequestWriter.Write(request, options.Method, options.Argument, options.Source, options.Destination, payload);
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message);
        }

        using Socket socket = await UnixAddress.ConnectAsync(options.SocketPath);
        await socket.SendAllAsync(request.WrittenMemory, CancellationToken.None);
        socket.Shutdown(SocketShutdown.Send);

        // Copied as it arrives: the reply may be a stream of events without end.
        byte[] buffer = new byte[16 * 1024];
        int kind = -1;
        while (await socket.ReceiveAsync(buffer) is var count and > 0)
        {
            if (kind < 0)
            {
                kind = buffer[0] - '0';
                if (kind is < 0 or > 9)
                {
                    return NoReply;
                }
            }

            await output.WriteAsync(buffer.AsMemory(0, count));
            await output.FlushAsync();
        }

        if (kind < 0)
        {
            return NoReply;
        }

        if (options.AppendNull && !options.Fail)
        {
            await output.WriteAsync(new byte[1]);
            await output.FlushAsync();
        }

        return kind;
    }

    private static async Task<byte[]> ReadAllAsync(Stream input, int limit)
    {
        byte[] buffer = new byte[limit + 1];
        int length = await input.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false);
        return length <= limit ? buffer[..length] : throw new UsageException($"Payload too long (max {limit})");
    }

    // A byte at a time: what follows the line belongs to whoever reads the stream next.
    private static async Task<byte[]> ReadLineAsync(Stream input, int limit)
    {
        byte[] line = new byte[limit];
        byte[] one = new byte[1];
        for (int length = 0; ; length++)
        {
            if (await input.ReadAsync(one) == 0)
            {
                throw new UsageException("end of input before the end of the line");
            }

            if (one[0] == (byte)'\n')
            {
                return line[..length];
            }

            if (one[0] is < 0x20 or > 0x7E)
            {
                throw new UsageException("the line has a byte that is not printable ASCII");
            }

            if (length == limit)
            {
                throw new UsageException($"Payload too long (max {limit})");
            }

            line[length] = one[0];
        }
    }
}
