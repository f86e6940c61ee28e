using System.Net;
using Qubes.Model.Firewall;
using Qubes.Model.Network;
using Qubes.Model.Notes;
using Qubes.Model.Volumes;

namespace Qubes.Model.Classes;

/// <summary>A qube that runs as a domain of the hypervisor.</summary>
public abstract class QubesVM : LocalQube
{
    private protected QubesVM(QubesApp app, QubeClass qubeClass, QubeIdentity identity)
        : base(app, qubeClass, identity)
    {
        Volumes = new QubeVolumes(this);
        Runtime = new QubeRuntime(this);
        Firewall = new QubeFirewall(this);
        Notes = new QubeNotes(this);
    }

    public QubeRuntime Runtime { get; }

    public QubeVolumes Volumes { get; }

    /// <summary>What it may reach through its netvm.</summary>
    public QubeFirewall Firewall { get; }

    /// <summary>What people wrote about it.</summary>
    public QubeNotes Notes { get; }

    public override PowerState PowerState => Runtime.State;

    /// <summary>Devices of class <c>pci</c> are assigned.</summary>
    public bool HasPciDevices => Devices.HasAny("pci");

    public override QubesVM? NetVM => NetworkProperties.NetVM.Get(this);

    public bool ProvidesNetwork => NetworkProperties.ProvidesNetwork.Get(this);

    /// <summary>It has network or gives network.</summary>
    public bool IsNetworked => ProvidesNetwork || NetVM is not null;

    public IPAddress? IP => NetworkProperties.IP.Get(this);

    public IPAddress? IP6 => NetworkProperties.IP6.Get(this);

    public string Mac => NetworkProperties.Mac.Get(this) ?? "";

    public IPAddress? VisibleIP => NetworkProperties.VisibleIP.Get(this);

    public IPAddress? VisibleIP6 => NetworkProperties.VisibleIP6.Get(this);

    public IPAddress? VisibleGateway => NetworkProperties.VisibleGateway.Get(this);

    public IPAddress? VisibleGateway6 => NetworkProperties.VisibleGateway6.Get(this);

    public IPAddress? VisibleNetmask => NetworkProperties.VisibleNetmask.Get(this);

    public IPAddress? Gateway => NetworkProperties.Gateway.Get(this);

    public IPAddress? Gateway6 => NetworkProperties.Gateway6.Get(this);

    /// <summary>The two addresses of the virtual name servers; null without network.</summary>
    public (IPAddress Primary, IPAddress Secondary)? Dns => IsNetworked ? (QubesNetwork.PrimaryDns, QubesNetwork.SecondaryDns) : null;

    /// <summary>The qubes whose current netvm is this one.</summary>
    public IEnumerable<QubesVM> ConnectedQubes => App.Domains.OfType<QubesVM>().Where(qube => qube.NetVM == this);

    public int Memory => MemoryProperties.Memory.Get(this);

    public int MaxMem => MemoryProperties.MaxMem.Get(this);

    public int VCpus => MemoryProperties.VCpus.Get(this);

    /// <summary><c>hvm</c>, <c>pv</c> or <c>pvh</c>.</summary>
    public string VirtMode => BootProperties.VirtMode.Get(this) ?? "pvh";

    /// <summary>The name of the kernel of the host to boot; empty boots what is inside the qube; null if none was ever chosen.</summary>
    public string? Kernel => BootProperties.Kernel.Get(this);

    public string KernelOpts => BootProperties.KernelOpts.Get(this) ?? "";

    public string BootMode => BootProperties.BootMode.Get(this) ?? "default";

    public string DefaultUser => QubesVMProperties.DefaultUser.Get(this) ?? "";

    public bool Debug => QubesVMProperties.Debug.Get(this);

    public bool AutoStart => QubesVMProperties.AutoStart.Get(this);

    public bool InstalledByRpm => QubesVMProperties.InstalledByRpm.Get(this);

    public int QrexecTimeout => QubesVMProperties.QrexecTimeout.Get(this);

    public int ShutdownTimeout => QubesVMProperties.ShutdownTimeout.Get(this);

    public Qube? DefaultDispVM => QubesVMProperties.DefaultDispVM.Get(this);

    public LocalQube? GuiVM => QubesVMProperties.GuiVM.Get(this);

    public LocalQube? AudioVM => QubesVMProperties.AudioVM.Get(this);

    public override string KeyboardLayout => QubesVMProperties.KeyboardLayout.Get(this) ?? "us++";

    /// <summary>What is installed in it stays: it has no template.</summary>
    public bool IsUpdateable => !Class.HasTemplate;

    public override string Icon => (Features.IsTrue("servicevm") && this is not TemplateVM ? "servicevm-" : IconPrefix) + Label?.Name;

    /// <summary>The qube's directory under the base directory: <c>appvms/NAME</c> or <c>vm-templates/NAME</c>.</summary>
    public virtual string DirectoryName => "appvms/" + Name;

    /// <summary>The default of <c>netvm</c>.</summary>
    internal virtual QubesVM? DefaultNetVM => QubesAppProperties.DefaultNetVM.Get(App);

    /// <summary>The default of <c>ip</c> when networked; disposables number theirs otherwise.</summary>
    internal virtual IPAddress DefaultIP => QubesNetwork.AddressOf(QubesNetwork.QubePrefix, Qid);

    /// <summary>The default of <c>ip6</c> when networked with IPv6.</summary>
    internal virtual IPAddress DefaultIP6 => QubesNetwork.Address6Of(QubesNetwork.QubePrefix, Qid);

    /// <summary>The default of <c>default_dispvm</c>.</summary>
    internal virtual Qube? DefaultDispVMDefault => QubesAppProperties.DefaultDispVM.Get(App);

    /// <summary>Whether its network goes through <paramref name="other"/>, directly or not.</summary>
    public bool IsConnectedThrough(QubesVM other)
    {
        QubesVM? at = this;
        for (int i = 0; at is not null && i < App.MaxChainLength; i++)
        {
            at = at.NetVM;
            if (at == other)
            {
                return true;
            }
        }

        return false;
    }
}
