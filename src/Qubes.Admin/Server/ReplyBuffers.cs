namespace Qubes.Admin.Server;

/// <summary>The reply buffers not in use. Belongs to the loop's thread.</summary>
public sealed class ReplyBuffers
{
    // A list of a thousand qubes takes some 90 kB, a part of a larger reply 64 KiB. Larger ones are rare and not kept.
    private const int LargestKept = 1 << 20;
    private const int MostKept = 16;
    private readonly Stack<ReplyBuffer> _free = new();

    public ReplyBuffer Rent() => _free.TryPop(out ReplyBuffer? buffer) ? buffer : new ReplyBuffer();

    public void Return(ReplyBuffer buffer)
    {
        buffer.Truncate(0);
        if (_free.Count < MostKept && buffer.Capacity <= LargestKept)
        {
            _free.Push(buffer);
        }
    }
}
