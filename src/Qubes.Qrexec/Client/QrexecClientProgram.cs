using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Qrexec.CommandLine;
using Qubes.Qrexec.Data;

namespace Qubes.Qrexec.Client;

/// <summary>The program qrexec-client.</summary>
public static class QrexecClientProgram
{
    /// <summary>The name under which the multi-call program runs it.</summary>
    public const string Name = "qrexec-client";

    private const int UsageError = 1;
    private const int BadOption = 2;

    /// <summary>Runs the program and returns its exit status.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        try
        {
            QrexecClientOptions options = QrexecClientOptions.Parse(arguments);
            if (options.IsHelp)
            {
                await Console.Error.WriteLineAsync(QrexecClientOptions.Usage);
                return 0;
            }

            if (options.UseStdinSocket && !IsStreamSocket(0))
            {
                throw new BadOptionException("--use-stdin-socket needs a stream socket as descriptor 0");
            }

            return await new QrexecClient(options, () => StandardStreams(options.UseStdinSocket), Console.Error).RunAsync();
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"{Name}: {e.Message}\n{QrexecClientOptions.Usage}");
            return UsageError;
        }
        catch (BadOptionException e)
        {
            await Console.Error.WriteLineAsync($"{Name}: {e.Message}");
            return BadOption;
        }
    }

    private static CallerStreams StandardStreams(bool stdinSocket) => new()
    {
        Input = new LocalDescriptor(InheritedDescriptor.ForReading(0, stdinSocket)),
        Output = new LocalDescriptor(InheritedDescriptor.ForWriting(stdinSocket ? 0 : 1, stdinSocket)),
        Error = new LocalDescriptor(InheritedDescriptor.ForWriting(2)),
    };

    private static bool IsStreamSocket(int descriptor)
    {
        try
        {
            using Socket socket = new(new SafeSocketHandle(descriptor, ownsHandle: false));
            return socket.SocketType == SocketType.Stream;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
