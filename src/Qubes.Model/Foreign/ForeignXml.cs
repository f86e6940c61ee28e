namespace Qubes.Model.Foreign;

/// <summary>
/// What the store says at one element beside what this version understands. Each part is XML text ready to be written back, empty where
/// there is nothing.
/// </summary>
/// <param name="Before">The comments in front of the element, each a line of its own.</param>
/// <param name="Attributes">Further attributes, each with a blank before it.</param>
/// <param name="Inside">Further elements and comments, which stand behind all that is known: in an element of text as they are, else in lines of their own.</param>
public sealed record ForeignXml(string Before, string Attributes, string Inside)
{
    /// <summary>The element stands there a second time: all of both, but attributes of one.</summary>
    public ForeignXml With(ForeignXml second)
    {
        ArgumentNullException.ThrowIfNull(second);
        return new ForeignXml(Before + second.Before, second.Attributes.Length > 0 ? second.Attributes : Attributes, Inside + second.Inside);
    }
}
