using System.Buffers;
using Qubes.Admin.Server;
using Qubes.Model;
using Qubes.Model.Classes;

namespace Qubes.Admin.Handlers;

/// <summary>
/// The lines of <c>admin.vm.List</c> for all qubes, kept from call to call: of what they say only the power state ever changes,
/// so a call compares states and copies one block. Belongs to the model loop.
/// </summary>
internal sealed class QubeListing(QubesApp app)
{
    private readonly List<(Qube Qube, PowerState State)> _told = [];
    private readonly ReplyBuffer _lines = new();

    /// <summary>Adds the lines to a reply, in the order of the collection.</summary>
    public void WriteAll(ReplyBuffer reply)
    {
        if (!IsCurrent())
        {
            Rebuild();
        }

        reply.Write(_lines.Written);
    }

    // <name> SP class=<class> SP state=<state> SP uuid=<uuid> LF
    public static void WriteLine(ReplyBuffer reply, Qube qube)
    {
        reply.WriteText(qube.Name.Value);
        reply.Write(" class="u8);
        reply.WriteText(qube.Klass);
        reply.Write(" state="u8);
        reply.WriteText(PowerStateText.Of(qube.PowerState));
        reply.Write(" uuid="u8);
        _ = qube.Uuid.Value.TryFormat(reply.GetSpan(36), out int written, "D");
        reply.Advance(written);
        reply.Write("\n"u8);
    }

    private bool IsCurrent()
    {
        int count = 0;
        foreach (Qube qube in app.Domains)
        {
            if (qube.IsBeingMade)
            {
                continue;
            }

            if (count == _told.Count || _told[count].Qube != qube || _told[count].State != qube.PowerState)
            {
                return false;
            }

            count++;
        }

        return count == _told.Count;
    }

    private void Rebuild()
    {
        _told.Clear();
        _lines.Truncate(0);
        foreach (Qube qube in app.Domains)
        {
            if (!qube.IsBeingMade)
            {
                _told.Add((qube, qube.PowerState));
                WriteLine(_lines, qube);
            }
        }
    }
}
