namespace Qubes.Policy.Tokens;

/// <summary>The forms a token takes.</summary>
public enum TokenKind
{
    /// <summary>A qube by name, or by <c>uuid:…</c>. Also <c>dom0</c>.</summary>
    Name,

    /// <summary><c>*</c>: everything, dom0 included.</summary>
    Any,

    /// <summary><c>@adminvm</c>: dom0.</summary>
    AdminVm,

    /// <summary><c>@anyvm</c>: everything but dom0.</summary>
    AnyVm,

    /// <summary><c>@default</c>: the caller named no target.</summary>
    Default,

    /// <summary><c>@type:TYPE</c>: qubes of a class.</summary>
    Type,

    /// <summary><c>@tag:TAG</c>: qubes with a tag.</summary>
    Tag,

    /// <summary><c>@dispvm</c>: a new disposable from the caller's default template.</summary>
    DispVm,

    /// <summary><c>@dispvm:NAME</c>: a new disposable from the named template.</summary>
    DispVmTemplate,

    /// <summary><c>@dispvm:@tag:TAG</c>: a new disposable from a template with the tag.</summary>
    DispVmTag,
}
