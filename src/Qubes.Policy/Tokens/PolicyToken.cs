namespace Qubes.Policy.Tokens;

/// <summary>One designation of a qube or a set of qubes, in a rule or in a request.</summary>
/// <param name="Kind">The form.</param>
/// <param name="Text">As written.</param>
/// <param name="Value">What follows the prefix; the whole text for a name; empty where there is no value.</param>
public sealed record PolicyToken(TokenKind Kind, string Text, string Value)
{
    private const string Dom0Uuid = "uuid:00000000-0000-0000-0000-000000000000";

    /// <summary><c>@default</c>.</summary>
    public static PolicyToken Default { get; } = new(TokenKind.Default, "@default", "");

    /// <summary><c>@dispvm</c>.</summary>
    public static PolicyToken DispVm { get; } = new(TokenKind.DispVm, "@dispvm", "");

    /// <summary><c>dom0</c>, the name into which <c>@adminvm</c> is resolved.</summary>
    public static PolicyToken Dom0 { get; } = Named("dom0");

    /// <summary>True for every way to say dom0: its name, its keyword, the nil uuid.</summary>
    public bool IsDom0 { get; } = IsDom0Text(Text);

    /// <summary>A name taken as it is, whatever it looks like: the source of a request is not parsed.</summary>
    public static PolicyToken Named(string name) => new(TokenKind.Name, name, name);

    /// <summary>A disposable from the template <paramref name="name"/> (or <c>uuid:…</c>).</summary>
    public static PolicyToken DispVmFrom(string name) => new(TokenKind.DispVmTemplate, TokenParser.DispVmPrefix + name, name);

    /// <summary>True if <paramref name="text"/> is a way to say dom0.</summary>
    public static bool IsDom0Text(string text) => text is "dom0" or "@adminvm" or Dom0Uuid;

    /// <inheritdoc/>
    public override string ToString() => Text;
}
