using System.Buffers;
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
    /// <summary>As it is told to whoever sees everything.</summary>
    public static void Write(ReplyBuffer output, QubeDelta delta)
    {
        if (delta.After is null)
        {
            WriteRemoved(output, delta.Name);
        }
        else if (delta.Before is null)
        {
            WriteQube(output, delta.Name, delta.After, QubeSections.All);
        }
        else
        {
            WriteQubeChanges(output, delta.Name, delta.Before, QubeSections.All, delta.After, QubeSections.All);
        }
    }

    public static void WriteQube(ReplyBuffer output, string name, StateFragment fragment, QubeSections sees)
    {
        AdminReplyWriter.BeginEvent(output, name, "state-qube");
        if (sees == QubeSections.All)
        {
            AdminReplyWriter.WriteEventKeyword(output, "state", fragment.Json);
        }
        else
        {
            ArrayBufferWriter<byte> part = new(fragment.Json.Length);
            fragment.Write(part, sees);
            AdminReplyWriter.WriteEventKeyword(output, "state", part.WrittenSpan);
        }

        AdminReplyWriter.EndEvent(output);
    }

    /// <summary>Nothing, if none of what changed is in the sections.</summary>
    public static void WriteQubeChanges(
        ReplyBuffer output, string name, StateFragment before, QubeSections saw, StateFragment after, QubeSections sees) =>
        WriteChanges(output, name, "state-qube-changed", before, saw, after, sees);

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
        WriteChanges(output, "", "state-system-changed", before, QubeSections.All, after, QubeSections.All);

    public static void WritePosition(ReplyBuffer output, StatePosition position, long revision)
    {
        AdminReplyWriter.BeginEvent(output, "", "state-position");
        AdminReplyWriter.WriteEventKeyword(output, "position", position.ToString());
        AdminReplyWriter.WriteEventKeyword(output, "revision", revision.ToString(CultureInfo.InvariantCulture));
        AdminReplyWriter.EndEvent(output);
    }

    private static void WriteChanges(
        ReplyBuffer output, string subject, string name, StateFragment before, QubeSections saw, StateFragment after, QubeSections sees)
    {
        ArrayBufferWriter<byte> changes = new(256);
        if (after.WriteChanges(before, saw, sees, changes))
        {
            AdminReplyWriter.BeginEvent(output, subject, name);
            AdminReplyWriter.WriteEventKeyword(output, "changes", changes.WrittenSpan);
            AdminReplyWriter.EndEvent(output);
        }
    }
}
