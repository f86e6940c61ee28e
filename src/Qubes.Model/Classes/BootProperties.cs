using Qubes.Model.Host;
using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Classes;

/// <summary>How the qube boots: virtualization mode, kernel, options, boot mode.</summary>
public static class BootProperties
{
    /// <summary>The name of the boot mode without extra options.</summary>
    public const string DefaultMode = "default";

    private const int MaxKernelOptsLength = 512;
    private const string KernelOptsWithoutPci = "swiotlb=2048";
    private const string SuspendOption = " qubes_exp_pm_use_suspend=1";

    public static readonly PropertyDefinition<QubesVM, string?> VirtMode = new("virt_mode", TextType.Instance)
    {
        Default = PropertyDefault.Of<QubesVM, string?>(static qube => qube.HasPciDevices ? "hvm"
            : qube.Template is QubesVM template ? VirtMode!.Get(template) : "pvh"),
        Setter = static (qube, value) => ValidVirtMode(qube, value),
        Help = "Virtualization mode: hvm, pv or pvh.",
    };

    public static readonly PropertyDefinition<QubesVM, string?> Kernel = new("kernel", TextType.Instance)
    {
        Default = QubesVMProperties.Inherit(
            static () => Kernel!,
            // Graphical tools take it for granted that there is one: where the host has none, a qube boots its own kernel.
            PropertyDefault.Of<QubesVM, string?>(static qube => QubesAppProperties.DefaultKernel.TryGet(qube.App, out string? kernel) ? kernel : "")),
        Setter = static (_, value) => PropertyRules.KernelName(value),
        Help = "Kernel of the host with which the qube boots; empty boots the kernel inside the qube.",
    };

    public static readonly PropertyDefinition<QubesVM, string?> KernelOpts = new("kernelopts", TextType.Instance)
    {
        Stage = PropertyStage.References,
        Default = PropertyDefault.Of<QubesVM, string?>(DefaultKernelOpts),
        Setter = static (_, value) => value is { Length: > MaxKernelOptsLength }
            ? throw QubesErrors.PropertyValue($"Kernelopts value too long ({MaxKernelOptsLength} chars max)")
            : value ?? "",
        Help = "Command line options of the kernel.",
    };

    public static readonly PropertyDefinition<QubesVM, string?> BootMode = new("bootmode", TextType.Instance)
    {
        Stage = PropertyStage.References,
        Default = PropertyDefault.Of<QubesVM, string?>(DefaultBootMode),
        Help = "Name of the boot mode, which selects additional kernel options and the default user.",
    };

    internal static IEnumerable<PropertyDefinition> All => [VirtMode, Kernel, KernelOpts, BootMode];

    /// <summary>The additional kernel options of the current boot mode, with one blank in front; empty without any.</summary>
    public static string BootModeKernelOpts(QubesVM qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        string mode = qube.BootMode;
        if (mode == DefaultMode)
        {
            return "";
        }

        // An explicit mode nobody announced falls back to what the default would be.
        string? options = ModeOptions(qube, mode);
        if (options is null && DefaultBootMode(qube) is var other && other != DefaultMode)
        {
            options = ModeOptions(qube, other);
        }

        return options is null ? "" : " " + options;
    }

    /// <summary>The user as whom commands run in the current boot mode.</summary>
    public static string EffectiveDefaultUser(QubesVM qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        return qube.Features.CheckWithTemplate("boot-mode.default-user." + qube.BootMode) is { Length: > 0 } user ? user : qube.DefaultUser;
    }

    private static string ValidVirtMode(QubesVM qube, string? value)
    {
        string mode = (value ?? "").ToLowerInvariant();
        if (mode is not ("hvm" or "pv" or "pvh"))
        {
            throw QubesErrors.PropertyValue("Invalid virtualization mode, supported values: hvm, pv, pvh");
        }

        return mode == "pvh" && qube.HasPciDevices
            ? throw QubesErrors.PropertyValue("pvh mode can't be set if PCI devices are attached")
            : mode;
    }

    private static string DefaultKernelOpts(QubesVM qube)
    {
        if (qube.Kernel is not { Length: > 0 } kernel)
        {
            return "";
        }

        IHostFacts host = qube.App.Host;
        if (qube.HasPciDevices)
        {
            string options = host.DefaultKernelOptions(kernel, withPci: true) ?? "";
            return qube.App.Domains.AdminVM.Features.IsTrue("suspend-s0ix") ? options + SuspendOption : options;
        }

        return qube.Template is QubesVM template
            ? KernelOpts!.Get(template) ?? ""
            : host.DefaultKernelOptions(kernel, withPci: false) ?? KernelOptsWithoutPci;
    }

    private static string DefaultBootMode(QubesVM qube)
    {
        if (qube.Features.Get("boot-mode.active") is { } active && (active == DefaultMode || ModeOptions(qube, active) is not null))
        {
            return active;
        }

        Qube? level = qube.Template;
        for (int i = 0; level is not null && i < qube.App.MaxChainLength; i++, level = level.Template)
        {
            if (level is not TemplateVM template)
            {
                continue;
            }

            string mode = TemplateVMProperties.AppVMDefaultBootMode.Get(template) ?? DefaultMode;
            if (mode == DefaultMode || ModeOptions(template, mode) is not null)
            {
                return mode;
            }
        }

        return DefaultMode;
    }

    private static string? ModeOptions(Qube qube, string mode) => qube.Features.CheckWithTemplate("boot-mode.kernelopts." + mode);
}
