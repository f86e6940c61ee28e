using Qubes.Qrexec.Vchan.Mux;

namespace Qubes.Fuzz.Targets;

/// <summary>The receiving half of the multiplexer's wire format: whatever arrives, it makes progress and stays within its buffer.</summary>
internal sealed class VchanMuxTarget : IFuzzTarget
{
    private const uint Tag = 0x1234_5679;

    public string Name => "vchan-mux";

    public IEnumerable<byte[]> Seeds
    {
        get
        {
            byte[] hello = new byte[MuxHello.Size];
            new MuxHello(1, 4096, 99, 0).Write(hello);
            byte[] data = new byte[MuxFrame.HeaderSize + 5 + MuxFrame.TrailerSize];
            MuxFrame.Write(data, Tag, MuxFrameType.Data, 0, 3, "hello"u8);
            byte[] open = new byte[MuxFrame.HeaderSize + 8 + MuxFrame.TrailerSize];
            MuxFrame.Write(open, Tag, MuxFrameType.Open, 0, 3, new byte[8]);
            return [hello, data, open, [.. hello, .. open, .. data, .. hello]];
        }
    }

    public void Run(ReadOnlySpan<byte> input)
    {
        foreach (bool inSession in (ReadOnlySpan<bool>)[false, true])
        {
            MuxParser parser = new();
            if (inSession)
            {
                parser.ExpectFrames(Tag);
            }

            ReadOnlySpan<byte> rest = input;
            while (!rest.IsEmpty)
            {
                Memory<byte> space = parser.GetSpace();
                int n = Math.Min(space.Length, Math.Min(rest.Length, 1 + (rest[0] * 17)));
                if (n == 0)
                {
                    throw new InvalidOperationException("the parser wants more but has no room");
                }

                rest[..n].CopyTo(space.Span);
                rest = rest[n..];
                parser.Received(n);
                Drain(parser);
            }
        }
    }

    private static void Drain(MuxParser parser)
    {
        while (true)
        {
            switch (parser.Next())
            {
                case MuxParser.Item.None:
                    return;
                case MuxParser.Item.Garbage:
                    parser.Scan();
                    break;
                case MuxParser.Item.Hello:
                    parser.ExpectFrames(Tag);
                    break;
                default:
                    if (parser.Payload.Length != parser.Frame.Length || parser.Frame.Length > MuxFrame.MaxPayload)
                    {
                        throw new InvalidOperationException("payload of the wrong length");
                    }

                    break;
            }
        }
    }
}
