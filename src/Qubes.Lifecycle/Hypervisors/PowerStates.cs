using Qubes.Libvirt;
using Qubes.Model.Classes;

namespace Qubes.Lifecycle.Hypervisors;

/// <summary>From the hypervisor's states to those of the Admin API.</summary>
internal static class PowerStates
{
    /// <param name="isUsable">The guest can be used: with qrexec, its daemon serves.</param>
    internal static PowerState Of(DomainState state, bool isUsable) => state switch
    {
        DomainState.Paused => PowerState.Paused,
        DomainState.ShuttingDown => PowerState.Halting,
        DomainState.ShutOff => PowerState.Dying,
        DomainState.Crashed => PowerState.Crashed,
        DomainState.Suspended => PowerState.Suspended,
        _ => isUsable ? PowerState.Running : PowerState.Transient,
    };
}
