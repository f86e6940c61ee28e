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
        string path = PathOf(call);
        try
        {
            call.Write(await Task.Run(() => NotesFile.Read(path)));
        }
        catch (IOException e)
        {
            throw new QubesException(QubesErrorNames.QubesException, $"Failed to read notes file: {e.Message}", e);
        }
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
        string path = PathOf(call);
        try
        {
            // The lock keeps the order in which callers are answered the order in which files are replaced.
            using (await call.Services.NotesLocks.AcquireAsync(path))
            {
                await Task.Run(() => NotesFile.Write(path, notes));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new QubesException(QubesErrorNames.QubesException, $"Failed to write notes file: {e.Message}", e);
        }
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

    private static string PathOf(AdminCall call) => call.Destination is QubesVM qube
        ? Path.Combine(call.Services.StateDirectory, qube.DirectoryName, NotesFile.Name)
        : throw QubesErrors.VM($"Qubes of class {call.Destination.Klass} have no notes");
}
