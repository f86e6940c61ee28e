using System.Globalization;
using Qubes.Admin.Server;
using Qubes.Protocol.Admin;

namespace Qubes.Admin.State;

/// <summary>
/// The messages of <c>admin.state.Follow</c>, in the frame of events:
/// <code>
/// QUBE state-qube          state=OBJECT     the qube is this now, whatever it was
/// QUBE state-qube-changed  changes=OBJECT   these parts are so now
/// QUBE state-qube-removed
///      state-system        state=OBJECT|null
///      state-system-changed changes=OBJECT
///      state-position      position=RUN.NUMBER revision=N
/// </code>
/// What comes before a <c>state-position</c> belongs together and holds as a whole.
/// </summary>
internal static class StateMessages
{
    public static void Write(ReplyBuffer output, QubeDelta delta)
    {
        if (delta.After is null)
        {
            WriteRemoved(output, delta.Name);
        }
        else if (delta.Before is null)
        {
            WriteQube(output, delta.Name, delta.After);
        }
        else
        {
            WriteChanges(output, delta.Name, "state-qube-changed", delta.Before, delta.After);
        }
    }

    public static void WriteQube(ReplyBuffer output, string name, StateFragment fragment)
    {
        AdminReplyWriter.BeginEvent(output, name, "state-qube");
        AdminReplyWriter.WriteEventKeyword(output, "state", fragment.Json);
        AdminReplyWriter.EndEvent(output);
    }

    public static void WriteRemoved(ReplyBuffer output, string name)
    {
        AdminReplyWriter.BeginEvent(output, name, "state-qube-removed");
        AdminReplyWriter.EndEvent(output);
    }

    /// <param name="fragment">Null: the caller may no longer see it.</param>
    public static void WriteSystem(ReplyBuffer output, StateFragment? fragment)
    {
        AdminReplyWriter.BeginEvent(output, "", "state-system");
        AdminReplyWriter.WriteEventKeyword(output, "state", fragment is null ? "null"u8 : fragment.Json);
        AdminReplyWriter.EndEvent(output);
    }

    public static void WriteSystemChanges(ReplyBuffer output, StateFragment before, StateFragment after) =>
        WriteChanges(output, "", "state-system-changed", before, after);

    public static void WritePosition(ReplyBuffer output, StatePosition position, long revision)
    {
        AdminReplyWriter.BeginEvent(output, "", "state-position");
        AdminReplyWriter.WriteEventKeyword(output, "position", position.ToString());
        AdminReplyWriter.WriteEventKeyword(output, "revision", revision.ToString(CultureInfo.InvariantCulture));
        AdminReplyWriter.EndEvent(output);
    }

    private static void WriteChanges(ReplyBuffer output, string subject, string name, StateFragment before, StateFragment after)
    {
        System.Buffers.ArrayBufferWriter<byte> changes = new(256);
        after.WriteChanges(before, changes);
        AdminReplyWriter.BeginEvent(output, subject, name);
        AdminReplyWriter.WriteEventKeyword(output, "changes", changes.WrittenSpan);
        AdminReplyWriter.EndEvent(output);
    }
}
