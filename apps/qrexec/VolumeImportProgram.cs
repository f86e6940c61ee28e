using Qubes.Client.Services;
using Qubes.Client.Transport;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qrexec;

/// <summary>
/// The services <c>admin.vm.volume.Import</c> and <c>admin.vm.volume.ImportWithSize</c>, started by qrexec or, on the host, by a client
/// itself: both tell the call in <c>QREXEC_*</c> variables, the volume in the first argument.
/// </summary>
internal static class VolumeImportProgram
{
    public const string Name = "admin.vm.volume.Import";
    public const string WithSizeName = "admin.vm.volume.ImportWithSize";

    public static async Task<int> RunAsync(string[] arguments, bool withSize)
    {
        if (Environment.GetEnvironmentVariable("QREXEC_REMOTE_DOMAIN") is not { Length: > 0 } source
            || Environment.GetEnvironmentVariable("QREXEC_REQUESTED_TARGET") is not { Length: > 0 } target || arguments.Length != 1)
        {
            await Console.Error.WriteLineAsync("This is a service of qrexec: it needs QREXEC_REMOTE_DOMAIN, QREXEC_REQUESTED_TARGET and a volume");
            return 2;
        }

        QubesPaths paths = new();
        VolumeImportService service = new(new SocketTransport(paths.InternalSocket, paths.RpcDirectory, source), target, arguments[0]);
        try
        {
            await using Stream output = Console.OpenStandardOutput();
            return await service.RunAsync(Console.OpenStandardInput(), output, withSize);
        }
        catch (QubesException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }
}
