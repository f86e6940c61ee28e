namespace Qubes.Policy.Syntax;

/// <summary>The two forms of a policy file.</summary>
public enum PolicyFormat
{
    /// <summary>Service and argument stand in each rule.</summary>
    Full,

    /// <summary>The file is about one service and argument, given by whoever includes it; the form used up to Qubes 4.0.</summary>
    OneService,
}
