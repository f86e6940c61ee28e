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
        string notes = Sanitise(call.UntrustedPayload);
        await QubeFileCalls.SetNotesAsync(call, Owner(call), notes);
    }

    /// <summary>The text a call brings.</summary>
    /// <exception cref="QubesException"><c>ProtocolError</c>: too long, or not UTF-8.</exception>
    internal static string Sanitise(ReadOnlySpan<byte> untrustedNotes)
    {
        if (untrustedNotes.Length > NotesFile.LargestNotes)
        {
            throw QubesErrors.Protocol($"Maximum note size is {NotesFile.LargestNotes} bytes ({untrustedNotes.Length} bytes received)");
        }

        try
        {
            return NotesFile.Sanitise(untrustedNotes);
        }
        catch (DecoderFallbackException e)
        {
            throw QubesErrors.Protocol($"Unable to sanitise qube notes: {e.Message}");
        }
    }

    internal static QubesVM Owner(Qube qube) => qube as QubesVM ?? throw QubesErrors.VM($"Qubes of class {qube.Klass} have no notes");

    private static QubesVM Owner(AdminCall call) => Owner(call.Destination);
}
