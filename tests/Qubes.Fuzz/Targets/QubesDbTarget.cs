using Qubes.Protocol.QubesDb;

namespace Qubes.Fuzz.Targets;

/// <summary>Headers of QubesDB messages: one taken for valid can be written again and says the same.</summary>
internal sealed class QubesDbTarget : IFuzzTarget
{
    public string Name => "qubesdb";

    public IEnumerable<byte[]> Seeds =>
    [
        QubesDbHeader.Message(QubesDbMessageType.Write, "/qubes-ip", "10.137.0.5"u8),
        QubesDbHeader.Message(QubesDbMessageType.MultiRead),
        QubesDbHeader.Message(QubesDbMessageType.Remove, "/a/"),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < QubesDbHeader.Size)
        {
            return;
        }

        QubesDbHeader header = QubesDbHeader.Read(input);
        if (!header.IsValid)
        {
            return;
        }

        byte[] again = QubesDbHeader.Message(header.Type, header.Path!, new byte[header.DataLength]);
        if (QubesDbHeader.Read(again) != header)
        {
            throw new InvalidOperationException("a header is not the same when written again");
        }

        if (QubesDbPath.IsEntry(header.Path) && (header.Path!.Length > QubesDbPath.MaxLength || header.Path[0] != '/'))
        {
            throw new InvalidOperationException("an entry with a path none can have");
        }
    }
}
