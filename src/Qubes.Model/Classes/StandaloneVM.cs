namespace Qubes.Model.Classes;

/// <summary>A qube with a root volume of its own.</summary>
public sealed class StandaloneVM : QubesVM, IDisposableTemplate
{
    internal StandaloneVM(QubesApp app, QubeClass qubeClass, QubeIdentity identity)
        : base(app, qubeClass, identity)
    {
    }

    public bool TemplateForDispVMs => DisposableTemplateProperties.TemplateForDispVMs.Get(this);

    private protected override string IconPrefix => "standalonevm-";
}
