using Qubes.Model.Devices;

namespace Qubes.Model.Classes;

/// <summary>A qube of this host (upstream's LocalVM): it can have devices.</summary>
public abstract class LocalQube : Qube
{
    private protected LocalQube(QubesApp app, QubeClass qubeClass, QubeIdentity identity)
        : base(app, qubeClass, identity) => Devices = new DeviceAssignments(this);

    public DeviceAssignments Devices { get; }

    /// <summary>The keyboard layout, <c>LAYOUT+VARIANT+OPTIONS</c>.</summary>
    public abstract string KeyboardLayout { get; }
}
