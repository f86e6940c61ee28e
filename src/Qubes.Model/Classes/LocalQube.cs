using Qubes.Model.Devices;
using Qubes.Model.QubesDb;

namespace Qubes.Model.Classes;

/// <summary>A qube of this host (upstream's LocalVM): it can have devices and a database.</summary>
public abstract class LocalQube : Qube
{
    private protected LocalQube(QubesApp app, QubeClass qubeClass, QubeIdentity identity)
        : base(app, qubeClass, identity)
    {
        Devices = new DeviceAssignments(this);
        QubesDb = new QubeDatabase(this);
    }

    public DeviceAssignments Devices { get; }

    /// <summary>Its devices of one class, in every respect.</summary>
    public QubeDevices DevicesOf(string deviceClass) => new(this, deviceClass);

    /// <summary>The small values it shares with its guest while it runs.</summary>
    public QubeDatabase QubesDb { get; }

    /// <summary>The default of <c>include_in_backups</c>.</summary>
    internal virtual bool IncludeInBackupsDefault => true;

    /// <summary>The keyboard layout, <c>LAYOUT+VARIANT+OPTIONS</c>.</summary>
    public abstract string KeyboardLayout { get; }
}
