namespace Qubes.Model.Properties;

/// <summary>One explicit value; the name is the definition's interned one.</summary>
internal readonly record struct PropertySlot(string Name, object? Value);
