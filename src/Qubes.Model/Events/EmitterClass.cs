using System.Collections.Immutable;

namespace Qubes.Model.Events;

/// <summary>
/// A level at which handlers may be attached. Every subject has a fixed list of levels from its most derived class to the
/// most basic one; pre-events walk it in that order, normal events in reverse.
/// </summary>
public sealed class EmitterClass
{
    public static readonly EmitterClass PropertyHolder = new("PropertyHolder");
    public static readonly EmitterClass Qubes = new("Qubes", PropertyHolder);
    public static readonly EmitterClass BaseVM = new("BaseVM", PropertyHolder);

    /// <summary>All qubes of this host including dom0. Extensions attach here unless they say otherwise.</summary>
    public static readonly EmitterClass LocalVM = new("LocalVM", BaseVM, PropertyHolder);

    public static readonly EmitterClass NetVMMixin = new("NetVMMixin");
    public static readonly EmitterClass DVMTemplateMixin = new("DVMTemplateMixin");
    public static readonly EmitterClass AdminVM = new("AdminVM", LocalVM, BaseVM, PropertyHolder);
    public static readonly EmitterClass RemoteVM = new("RemoteVM", BaseVM, PropertyHolder);
    public static readonly EmitterClass QubesVM = new("QubesVM", NetVMMixin, LocalVM, BaseVM, PropertyHolder);

    public static readonly EmitterClass TemplateVM =
        new("TemplateVM", QubesVM, NetVMMixin, LocalVM, BaseVM, PropertyHolder);

    public static readonly EmitterClass AppVM =
        new("AppVM", DVMTemplateMixin, QubesVM, NetVMMixin, LocalVM, BaseVM, PropertyHolder);

    public static readonly EmitterClass StandaloneVM =
        new("StandaloneVM", DVMTemplateMixin, QubesVM, NetVMMixin, LocalVM, BaseVM, PropertyHolder);

    public static readonly EmitterClass DispVM = new("DispVM", QubesVM, NetVMMixin, LocalVM, BaseVM, PropertyHolder);

    private EmitterClass(string name, params ReadOnlySpan<EmitterClass> bases)
    {
        Name = name;
        Levels = [this, .. bases];
    }

    /// <summary>The level of a class that is a kind of another one, before all of that one's.</summary>
    internal static EmitterClass Derive(string name, EmitterClass from) => new(name, from.Levels.AsSpan());

    public string Name { get; }

    /// <summary>This level and all more basic ones, most derived first.</summary>
    public ImmutableArray<EmitterClass> Levels { get; }

    public override string ToString() => Name;
}
