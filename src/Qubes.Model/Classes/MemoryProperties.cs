using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;

namespace Qubes.Model.Classes;

/// <summary>Memory and CPUs.</summary>
public static class MemoryProperties
{
    private const int DefaultMemoryMiB = 400;
    private const int DefaultMaxMemMiB = 4000;
    private const int LinuxMaxMemFactor = 10;

    public static readonly PropertyDefinition<QubesVM, int> Memory = new("memory", IntType.Instance)
    {
        Default = QubesVMProperties.Inherit(static () => Memory!, PropertyDefault.Constant(DefaultMemoryMiB)),
        Setter = static (_, value) => PropertyRules.Positive("memory", value),
        Help = "Memory of the qube at its start, in MiB.",
    };

    public static readonly PropertyDefinition<QubesVM, int> MaxMem = new("maxmem", IntType.Instance)
    {
        Default = PropertyDefault.Of<QubesVM, int>(DefaultMaxMem),
        Setter = static (_, value) => PropertyRules.NotNegative("maxmem", value),
        Help = "Maximum memory the qube may be given by balancing, in MiB; 0 turns balancing off.",
    };

    public static readonly PropertyDefinition<QubesVM, long?> StubdomMem = new("stubdom_mem", OptionalIntType.Instance)
    {
        Default = PropertyDefault.Constant<long?>(null),
        Setter = static (_, value) => value is { } number and <= int.MaxValue
            ? PropertyRules.Positive("stubdom_mem", (int)Math.Max(number, 0))
            : value is null ? null : throw Protocol.Errors.QubesErrors.PropertyValue("stubdom_mem is too large"),
        Help = "Memory of the domain that emulates devices for the qube, in MiB.",
    };

    public static readonly PropertyDefinition<QubesVM, int> VCpus = new("vcpus", IntType.Instance)
    {
        Default = QubesVMProperties.Inherit(static () => VCpus!, PropertyDefault.Constant(2)),
        Setter = static (_, value) => PropertyRules.Positive("vcpus", value),
        Help = "Number of virtual CPUs.",
    };

    internal static IEnumerable<PropertyDefinition> All => [Memory, MaxMem, StubdomMem, VCpus];

    /// <summary>Memory can be added to the running qube beyond what it started with.</summary>
    public static bool UsesHotplug(QubesVM qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        if (!qube.App.Host.IsXen)
        {
            return false;
        }

        if (qube.Features.CheckWithTemplate("memory-hotplug") is { } decided)
        {
            return decided.Length != 0;
        }

        if (qube.VirtMode == "hvm")
        {
            return false;
        }

        return qube.Kernel is { Length: > 0 } kernel
            ? qube.App.Host.SupportsMemoryHotplug(kernel)
            : !string.IsNullOrEmpty(qube.Features.CheckWithTemplate("supported-feature.memory-hotplug"));
    }

    /// <summary>Memory balancing works for the qube: on Xen only, without PCI devices, and with an agent that takes part.</summary>
    public static bool CanBalance(QubesVM qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        if (!qube.App.Host.IsXen || qube.HasPciDevices)
        {
            return false;
        }

        if (qube.VirtMode != "hvm")
        {
            return true;
        }

        return !string.IsNullOrEmpty(qube.Features.CheckWithTemplate("qrexec"))
            && (!AnnouncesServices(qube)
                || !string.IsNullOrEmpty(qube.Features.CheckWithTemplate("supported-service.meminfo-writer")));
    }

    private static bool AnnouncesServices(QubesVM qube)
    {
        Qube? at = qube;
        for (int i = 0; at is not null && i < qube.App.MaxChainLength; i++, at = at.Template)
        {
            if (at.Features.All.Any(f => f.Key.StartsWith("supported-service.", StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }

    private static int DefaultMaxMem(QubesVM qube)
    {
        if (!CanBalance(qube))
        {
            return 0;
        }

        // The template's value counts even if it is beyond the limit computed here.
        if (qube.Template is QubesVM template)
        {
            return MaxMem!.Get(template);
        }

        long wanted = qube.Features.Get("os") == "Linux" ? (long)qube.Memory * LinuxMaxMemFactor : DefaultMaxMemMiB;
        return (int)Math.Min(wanted, qube.App.Host.MemoryMiB / 2);
    }
}
