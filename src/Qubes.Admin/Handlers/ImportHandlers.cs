using System.Globalization;
using System.Text;
using Qubes.Admin.Calls;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Admin.Handlers;

/// <summary>
/// The two halves of <c>admin.vm.volume.Import</c> and <c>ImportWithSize</c>: the daemon says where data goes, the service that
/// calls these copies it there.
/// </summary>
internal static class ImportHandlers
{
    private const string Event = "admin-permission:admin.vm.volume.Import";

    // <size> SP <path>
    public static async ValueTask BeginAsync(AdminCall call)
    {
        Volume volume = Find(call);
        bool withSize = call.UntrustedPayload.Length > 0;
        call.PermitAs(withSize ? Event + "WithSize" : Event);
        if (!call.Destination.IsHalted)
        {
            throw QubesErrors.VMNotHalted(call.Destination.Name);
        }

        long size = withSize ? PayloadNumber.Parse(call.UntrustedPayload, "Size of new data") : (await volume.GetStatusAsync()).Size;
        string path = await volume.ImportBeginAsync(size);
        if (path.Contains(' ', StringComparison.Ordinal))
        {
            await volume.ImportEndAsync(success: false);
            throw QubesErrors.Protocol("Path contains whitespace");
        }

        call.Destination.Fire("domain-volume-import-begin", EventArguments.Of(("volume", volume.Name), ("size", size)));
        call.Write(string.Create(CultureInfo.InvariantCulture, $"{size} {path}"));
    }

    // payload: 'ok', or 'fail' LF <reason>
    public static async ValueTask EndAsync(AdminCall call)
    {
        Volume volume = Find(call);
        bool success = call.UntrustedPayload.AsSpan().SequenceEqual("ok"u8);
        bool finished = false;
        try
        {
            await volume.ImportEndAsync(success);
            finished = success;
        }
        finally
        {
            call.Destination.Fire("domain-volume-import-end", EventArguments.Of(("volume", volume.Name), ("success", finished)));
        }

        if (!success)
        {
            string untrustedReport = Encoding.UTF8.GetString(call.UntrustedPayload);
            int line = untrustedReport.IndexOf('\n', StringComparison.Ordinal);
            throw QubesErrors.General("Data import failed: " + (line < 0 ? "" : untrustedReport[(line + 1)..]));
        }
    }

    private static Volume Find(AdminCall call) =>
        call.Destination is QubesVM qube && qube.Volumes.TryGet(call.UntrustedArgument, out _)
            ? call.Services.Lifecycle.StorageOf(qube)[call.UntrustedArgument]
            : throw QubesErrors.Protocol($"Argument not in {call.Destination.Name} volumes");
}
