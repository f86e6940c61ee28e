using Qubes.Protocol.Properties;

namespace Qubes.Model.Properties;

/// <summary>A property as replies show it: unset (no value and no default) has no text.</summary>
public readonly record struct PropertyReading(bool HasValue, bool IsDefault, string TypeWord, string Text)
{
    public PropertyContent Content => new(IsDefault, TypeWord, Text);
}
