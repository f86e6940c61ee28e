namespace Qubes.Model.Classes;

/// <summary>dom0, the administrative domain: qid 0, the zero UUID, always running.</summary>
public sealed class AdminVM : LocalQube
{
    internal AdminVM(QubesApp app)
        : base(app, QubeClasses.AdminVM, new QubeIdentity(Protocol.Names.QubeName.Dom0, 0, Protocol.Names.QubeUuid.Dom0))
    {
    }

    public override PowerState PowerState => PowerState.Running;

    public override string Icon => "adminvm-black";

    public override string KeyboardLayout => AdminVMProperties.KeyboardLayout.Get(this) ?? "";

    private protected override string IconPrefix => "adminvm-";
}
