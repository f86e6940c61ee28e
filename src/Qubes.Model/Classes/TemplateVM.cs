namespace Qubes.Model.Classes;

/// <summary>A template: AppVMs start from snapshots of its root volume.</summary>
public sealed class TemplateVM : QubesVM
{
    internal TemplateVM(QubesApp app, QubeClass qubeClass, QubeIdentity identity)
        : base(app, qubeClass, identity)
    {
    }

    public override string DirectoryName => "vm-templates/" + Name;

    /// <summary>The qubes directly based on it.</summary>
    public IEnumerable<AppVM> BasedQubes => App.Domains.OfType<AppVM>().Where(qube => qube.Template == this);

    /// <summary>Templates have no network of their own unless given one.</summary>
    internal override QubesVM? DefaultNetVM => null;

    private protected override string IconPrefix => "templatevm-";
}
