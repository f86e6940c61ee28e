using Qubes.Client.Services;
using Qubes.Client.Transport;
using Qubes.Linux;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qrexec;

/// <summary>The service <c>admin.vm.Console</c>, started by qrexec, which tells the call in <c>QREXEC_*</c> variables.</summary>
internal static class ConsoleProgram
{
    public const string Name = "admin.vm.Console";

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (Environment.GetEnvironmentVariable("QREXEC_REMOTE_DOMAIN") is not { Length: > 0 } source
            || !QubeName.TryParse(Environment.GetEnvironmentVariable("QREXEC_REQUESTED_TARGET"), out QubeName target) || arguments.Length != 0)
        {
            await Console.Error.WriteLineAsync("This is a service of qrexec: it needs QREXEC_REMOTE_DOMAIN and QREXEC_REQUESTED_TARGET");
            return 2;
        }

        QubesPaths paths = new();
        ConsoleService service = new(new SocketTransport(paths.AdminSocket, paths.RpcDirectory, source), target, paths.QubesRunDirectory);
        try
        {
            await using Stream output = Console.OpenStandardOutput();
            return await service.RunAsync(Console.OpenStandardInput(), output);
        }
        catch (Exception e) when (e is QubesException or IOException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }
}
