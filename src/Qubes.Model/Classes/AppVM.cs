namespace Qubes.Model.Classes;

/// <summary>A qube based on a template, with its own private volume.</summary>
public sealed class AppVM : QubesVM, IDisposableTemplate
{
    internal AppVM(QubesApp app, QubeClass qubeClass, QubeIdentity identity)
        : base(app, qubeClass, identity)
    {
    }

    /// <summary>Never null once loaded or created.</summary>
    public override TemplateVM? Template => AppVMProperties.Template.Get(this);

    public bool TemplateForDispVMs => DisposableTemplateProperties.TemplateForDispVMs.Get(this);

    public override string Icon => TemplateForDispVMs ? "templatevm-" + Label?.Name : base.Icon;

    private protected override string IconPrefix => "appvm-";
}
