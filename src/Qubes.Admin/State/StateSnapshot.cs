using Qubes.Admin.Server;

namespace Qubes.Admin.State;

/// <summary>
/// The qubes of one reply of <c>admin.state.Get</c>, as they were at that moment: the fragments are the images' own and never change, so that a
/// reader that takes its time costs no copy of the whole state.
/// <code>
/// NAME:OBJECT*,}}
/// </code>
/// </summary>
internal sealed class StateSnapshot((string Name, StateFragment Fragment, QubeSections Sees)[] qubes) : IReplySource
{
    private const int PartBytes = 64 << 10;

    private int _next;

    public bool WriteNext(ReplyBuffer output)
    {
        while (_next < qubes.Length && output.Count < PartBytes)
        {
            (string name, StateFragment fragment, QubeSections sees) = qubes[_next];
            output.WriteText(_next == 0 ? "" : ",");
            JsonText.Write(output, name);
            output.WriteText(":");
            fragment.Write(output, sees);
            _next++;
        }

        if (_next < qubes.Length)
        {
            return true;
        }

        output.WriteText("}}");
        return false;
    }
}
