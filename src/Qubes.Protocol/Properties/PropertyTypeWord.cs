namespace Qubes.Protocol.Properties;

/// <summary>The type words of property replies.</summary>
public static class PropertyTypeWord
{
    /// <summary>A reference to a qube: a name or empty.</summary>
    public const string VM = "vm";

    /// <summary>Decimal, empty for none.</summary>
    public const string Int = "int";

    /// <summary><c>True</c> or <c>False</c>.</summary>
    public const string Bool = "bool";

    /// <summary>A label's name.</summary>
    public const string Label = "label";

    /// <summary>Everything else as text.</summary>
    public const string Str = "str";
}
