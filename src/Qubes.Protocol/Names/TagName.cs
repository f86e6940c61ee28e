using System.Diagnostics.CodeAnalysis;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Names;

/// <summary>A valid tag: one or more of <c>[A-Za-z0-9_-]</c>.</summary>
public readonly record struct TagName : IComparable<TagName>
{
    private readonly string? _value;

    private TagName(string value) => _value = value;

    public string Value => _value ?? "";

    /// <exception cref="QubesException"><c>QubesInvalidTagError</c>.</exception>
    public static TagName Parse(string untrustedTag) => Check(untrustedTag) is { } fault
        ? throw QubesErrors.InvalidTag(fault)
        : new TagName(untrustedTag);

    public static bool TryParse([NotNullWhen(true)] string? untrustedTag, out TagName tag)
    {
        bool valid = untrustedTag is not null && Check(untrustedTag) is null;
        tag = valid ? new TagName(untrustedTag!) : default;
        return valid;
    }

    public static string? Check(ReadOnlySpan<char> untrustedTag) => untrustedTag.IsEmpty ? "tag cannot be empty"
        : untrustedTag.ContainsAnyExcept(NameCharacters.LettersDigitsDashUnderscore) ? "disallowed characters"
        : null;

    public static implicit operator string(TagName tag) => tag.Value;

    public static bool operator <(TagName left, TagName right) => left.CompareTo(right) < 0;

    public static bool operator >(TagName left, TagName right) => left.CompareTo(right) > 0;

    public static bool operator <=(TagName left, TagName right) => left.CompareTo(right) <= 0;

    public static bool operator >=(TagName left, TagName right) => left.CompareTo(right) >= 0;

    public int CompareTo(TagName other) => string.CompareOrdinal(Value, other.Value);

    public override string ToString() => Value;
}
