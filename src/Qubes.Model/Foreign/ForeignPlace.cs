namespace Qubes.Model.Foreign;

/// <summary>An element of the store by its name and by what tells it from its like, such as the name of a feature.</summary>
public readonly record struct ForeignPlace(string Element, string Item = "");
