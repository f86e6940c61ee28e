using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Qrexec.Agent;
using Qubes.Qrexec.CommandLine;
using Qubes.Qrexec.Data;

namespace Qubes.Qrexec.ClientVm;

/// <summary>The program qrexec-client-vm.</summary>
public static class ClientVmProgram
{
    /// <summary>The name under which the multi-call program runs it.</summary>
    public const string Name = "qrexec-client-vm";

    private const int UsageError = 2;

    /// <summary>Runs the program and returns its exit status.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        QubesPaths paths = new();
        try
        {
            ClientVmOptions options = ClientVmOptions.Parse(arguments, paths);
            if (options.IsHelp)
            {
                await Console.Out.WriteLineAsync(ClientVmOptions.Usage);
                return 0;
            }

            if (options.UseStdinSocket && !IsStreamSocket(0))
            {
                throw new UsageException("--use-stdin-socket needs a stream socket as descriptor 0");
            }

            options = options with
            {
                FilterOutput = options.FilterOutput ?? (options.Program.Count == 0 && !Console.IsOutputRedirected),
                FilterError = options.FilterError ?? !Console.IsErrorRedirected,
            };
            return await new ClientVm(options, GuestVchan.ForClients(paths), () => StandardStreams(options.UseStdinSocket), Console.Error).RunAsync();
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"{Name}: {e.Message}\n{ClientVmOptions.Usage}");
            return UsageError;
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
