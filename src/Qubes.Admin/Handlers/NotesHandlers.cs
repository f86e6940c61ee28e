using System.Text;
using Qubes.Admin.Calls;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Store.Notes;

namespace Qubes.Admin.Handlers;

/// <summary><c>admin.vm.notes.*</c>.</summary>
internal static class NotesHandlers
{
    public static async ValueTask GetAsync(AdminCall call)
    {
        call.Permit();
        call.Write(await call.Services.Notes.GetAsync(Owner(call)));
    }

    public static async ValueTask SetAsync(AdminCall call)
    {
        call.Permit();
        if (call.UntrustedPayload.Length > NotesFile.LargestNotes)
        {
            throw QubesErrors.Protocol(
                $"Maximum note size is {NotesFile.LargestNotes} bytes ({call.UntrustedPayload.Length} bytes received)");
        }

        string notes = Sanitise(call.UntrustedPayload);
        await call.Services.Notes.SetAsync(Owner(call), notes);
    }

    private static string Sanitise(ReadOnlySpan<byte> untrustedNotes)
    {
        try
        {
            return NotesFile.Sanitise(untrustedNotes);
        }
        catch (DecoderFallbackException e)
        {
            throw QubesErrors.Protocol($"Unable to sanitise qube notes: {e.Message}");
        }
    }

    private static QubesVM Owner(AdminCall call) => call.Destination as QubesVM
        ?? throw QubesErrors.VM($"Qubes of class {call.Destination.Klass} have no notes");
}
