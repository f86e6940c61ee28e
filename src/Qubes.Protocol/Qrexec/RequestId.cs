using System.Text;

namespace Qubes.Protocol.Qrexec;

/// <summary>
/// Identifier by which a request is recognised between agent and daemon: opaque to the daemon, <c>SOCKETn</c> from agents.
/// Holds the field as received, because a refusal repeats it byte for byte.
/// </summary>
// ident[32]: text, NUL, zero padding
public sealed class RequestId : IEquatable<RequestId>
{
    private readonly byte[] _field;

    private RequestId(byte[] field) => _field = field;

    /// <summary>The field as received.</summary>
    public ReadOnlyMemory<byte> Field => _field;

    /// <summary>
    /// Whether the field is proper: terminated, only letters, digits, <c>_ - . </c> and space before the NUL,
    /// only NULs after it. An empty identifier is proper.
    /// </summary>
    public bool IsValid
    {
        get
        {
            int end = Array.IndexOf(_field, (byte)0);
            return end >= 0 && !_field.AsSpan(0, end).ContainsAnyExcept(QrexecText.RequestIdBytes)
                && !_field.AsSpan(end).ContainsAnyExcept((byte)0);
        }
    }

    /// <summary>The text before the first NUL, escaped where it is not ASCII; for comparing and for logs.</summary>
    public string Text
    {
        get
        {
            int end = Array.IndexOf(_field, (byte)0);
            return QrexecText.Printable(_field.AsSpan(0, end < 0 ? _field.Length : end));
        }
    }

    /// <summary>Wraps a field of exactly <see cref="QrexecLimits.RequestIdField"/> bytes.</summary>
    public static RequestId FromField(ReadOnlySpan<byte> field)
    {
        if (field.Length != QrexecLimits.RequestIdField)
        {
            throw new ArgumentException("a request identifier field has 32 bytes", nameof(field));
        }

        return new(field.ToArray());
    }

    /// <summary>
    /// Makes an identifier from the text of a SERVICE_CONNECT, which is not padded there.
    /// Returns null when it does not fit the field with its NUL.
    /// </summary>
    public static RequestId? FromText(ReadOnlySpan<byte> text)
    {
        if (text.Length >= QrexecLimits.RequestIdField)
        {
            return null;
        }

        byte[] field = new byte[QrexecLimits.RequestIdField];
        text.CopyTo(field);
        return new(field);
    }

    /// <summary>Makes an identifier of ASCII text that is known to fit.</summary>
    public static RequestId FromText(string text) =>
        FromText(Encoding.ASCII.GetBytes(text)) ?? throw new ArgumentException("longer than 31 bytes", nameof(text));

    public bool Equals(RequestId? other) => other is not null && _field.AsSpan().SequenceEqual(other._field);

    public override bool Equals(object? obj) => Equals(obj as RequestId);

    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(_field);
        return hash.ToHashCode();
    }

    public override string ToString() => Text;
}
