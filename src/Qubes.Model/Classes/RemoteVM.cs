namespace Qubes.Model.Classes;

/// <summary>
/// A qube of another host, reached through a relay. It has a name, a label, features and tags, and nothing that runs here:
/// no volumes, no devices, no power control. It counts as running always.
/// </summary>
public sealed class RemoteVM : Qube
{
    internal RemoteVM(QubesApp app, QubeClass qubeClass, QubeIdentity identity)
        : base(app, qubeClass, identity)
    {
    }

    public override PowerState PowerState => PowerState.Running;

    /// <summary>The qube of this host through which it is reached; null if none was chosen.</summary>
    public LocalQube? RelayVM => RemoteVMProperties.RelayVM.Get(this);

    public override string Icon => (Features.IsTrue("servicevm") ? "servicevm-" : IconPrefix) + Label?.Name;

    private protected override string IconPrefix => "remotevm-";
}
