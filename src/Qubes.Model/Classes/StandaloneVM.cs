namespace Qubes.Model.Classes;

/// <summary>A qube with a root volume of its own.</summary>
public sealed class StandaloneVM : QubesVM, IDisposableTemplate
{
    internal StandaloneVM(QubesApp app, QubeIdentity identity)
        : base(app, QubeClasses.StandaloneVM, identity)
    {
    }

    public bool TemplateForDispVMs => DisposableTemplateProperties.TemplateForDispVMs.Get(this);

    private protected override string IconPrefix => "standalonevm-";
}
