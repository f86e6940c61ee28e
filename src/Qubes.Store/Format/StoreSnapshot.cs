namespace Qubes.Store.Format;

/// <summary>The store's text at one revision, in pieces that never change: it can be written while the model goes on.</summary>
internal sealed record StoreSnapshot(long Revision, IReadOnlyList<byte[]> Pieces)
{
    public byte[] ToArray()
    {
        byte[] content = GC.AllocateUninitializedArray<byte>(Pieces.Sum(piece => piece.Length));
        CopyTo(content);
        return content;
    }

    /// <summary>The text in <paramref name="buffer"/>, which is replaced when it is too small.</summary>
    public ReadOnlyMemory<byte> Write(ref byte[] buffer)
    {
        int length = Pieces.Sum(piece => piece.Length);
        if (buffer.Length < length)
        {
            buffer = GC.AllocateUninitializedArray<byte>(Math.Max(length, length * 5 / 4));
        }

        CopyTo(buffer);
        return buffer.AsMemory(0, length);
    }

    private void CopyTo(Span<byte> content)
    {
        foreach (byte[] piece in Pieces)
        {
            piece.CopyTo(content);
            content = content[piece.Length..];
        }
    }
}
