using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Network;
using Qubes.Model.Properties;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;

namespace Qubes.Model.Handlers;

/// <summary>How changes of one network property show in the others, and the repair of loops.</summary>
internal static class NetworkHandlers
{
    public static void Register(EventHandlers events)
    {
        EmitterClass level = EmitterClass.NetVMMixin;
        events.On(level, NetworkProperties.NetVM.PreSetEvent, BeforeNetVM, own: true);
        events.On(level, NetworkProperties.NetVM.PreResetEvent, BeforeNetVMReset, own: true);
        events.On(level, NetworkProperties.NetVM.ResetEvent, AfterNetVMReset, own: true);
        events.On(level, NetworkProperties.IP.SetEvent, AfterIP, own: true);
        events.On(level, NetworkProperties.IP.ResetEvent, AfterIP, own: true);
        events.On(level, NetworkProperties.IP6.SetEvent, AfterIP6, own: true);
        events.On(level, NetworkProperties.IP6.ResetEvent, AfterIP6, own: true);
        events.On(level, NetworkProperties.ProvidesNetwork.SetEvent, AfterProvidesNetwork, own: true);
        events.On(level, NetworkProperties.ProvidesNetwork.ResetEvent, AfterProvidesNetwork, own: true);
        events.On(level, "domain-load", RepairLoop, own: true);
        foreach (string fake in (ReadOnlySpan<string>)["net.fake-ip", "net.fake-gateway", "net.fake-netmask"])
        {
            events.On(level, "domain-feature-pre-set:" + fake, BeforeFakeAddress, own: true);
        }

        OnFeature(events, "net.fake-ip", NetworkProperties.VisibleIP);
        OnFeature(events, "net.fake-gateway", NetworkProperties.VisibleGateway);
        OnFeature(events, "net.fake-netmask", NetworkProperties.VisibleNetmask);
        OnFeature(
            events,
            "ipv6",
            NetworkProperties.IP6,
            NetworkProperties.VisibleIP6,
            NetworkProperties.Gateway6,
            NetworkProperties.VisibleGateway6);
    }

    private static void OnFeature(EventHandlers events, string feature, params PropertyDefinition[] properties)
    {
        events.On(EmitterClass.NetVMMixin, "domain-feature-set:" + feature, Announce, own: true);
        events.On(EmitterClass.NetVMMixin, "domain-feature-delete:" + feature, Announce, own: true);

        void Announce(QubesEvent qubesEvent)
        {
            foreach (PropertyDefinition property in properties)
            {
                QubeHandlers.Announce((Qube)qubesEvent.Subject, property);
            }
        }
    }

    private static void BeforeNetVM(QubesEvent asked)
    {
        QubesVM qube = (QubesVM)asked.Subject;
        if (qube.IsRunning && asked.Arguments["newvalue"] is QubesVM { IsRunning: false } halted)
        {
            throw QubesErrors.VMNotStarted(halted.Name, $"Cannot dynamically attach to stopped qube {halted.Name}");
        }

        // Its guest can take part in the change only when it goes on.
        if (qube.PowerState == PowerState.Paused && !qube.Features.Contains(NetworkFeatures.Deferred))
        {
            qube.Features.Set(NetworkFeatures.Deferred, (asked.Arguments["oldvalue"] as QubesVM)?.Name.Value ?? "");
        }
    }

    private static void BeforeNetVMReset(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        object? oldValue = qubesEvent.Arguments["oldvalue"];
        if (qube.DefaultNetVM is var newValue && newValue != oldValue)
        {
            qube.FirePre(NetworkProperties.NetVM.PreSetEvent, Change(newValue, oldValue));
        }
    }

    private static void AfterNetVMReset(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        object? oldValue = qubesEvent.Arguments["oldvalue"];
        if (qube.NetVM is var newValue && newValue != oldValue)
        {
            qube.Fire(NetworkProperties.NetVM.SetEvent, Change(newValue, oldValue));
        }
    }

    private static EventArguments Change(object? newValue, object? oldValue) =>
        EventArguments.Of(("name", NetworkProperties.NetVM.Name), ("newvalue", newValue), ("oldvalue", oldValue));

    private static void AfterIP(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        if (Equals(qube.IP, qubesEvent.Arguments["oldvalue"]))
        {
            return;
        }

        if (qube.ProvidesNetwork)
        {
            QubeHandlers.Announce(qube, NetworkProperties.Gateway);
        }

        QubeHandlers.Announce(qube, NetworkProperties.VisibleIP);
        AnnounceToConnected(qube, NetworkProperties.VisibleGateway);
    }

    private static void AfterIP6(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        if (Equals(qube.IP6, qubesEvent.Arguments["oldvalue"]))
        {
            return;
        }

        if (qube.ProvidesNetwork)
        {
            QubeHandlers.Announce(qube, NetworkProperties.Gateway6);
        }

        QubeHandlers.Announce(qube, NetworkProperties.VisibleIP6);
        AnnounceToConnected(qube, NetworkProperties.VisibleGateway6);
    }

    private static void AnnounceToConnected(QubesVM qube, PropertyDefinition property)
    {
        foreach (QubesVM connected in qube.ConnectedQubes.ToArray())
        {
            QubeHandlers.Announce(connected, property);
        }
    }

    private static void AfterProvidesNetwork(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        QubeHandlers.Announce(qube, NetworkProperties.Gateway);
        QubeHandlers.Announce(qube, NetworkProperties.Gateway6);
    }

    private static void BeforeFakeAddress(QubesEvent qubesEvent)
    {
        if (qubesEvent.Arguments["value"] is string { Length: > 0 } text && !PropertyPayload.TryIPv4(text, out _))
        {
            throw QubesErrors.Value($"Invalid IPv4 address in feature {qubesEvent.Arguments["feature"]}");
        }
    }

    // A store may hold a loop: each setter checks only against what was there when it ran.
    private static void RepairLoop(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        if (qube.IsConnectedThrough(qube))
        {
            qube.SetSlot(NetworkProperties.NetVM.Name, null);
            qube.App.ReportProblem($"{qube.Name}: network loop found, netvm set to none");
        }
    }
}
