using System.Text;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Boot;

/// <summary>The command line of a directly booted kernel, from the kernel's own options, the qube's and those of its features.</summary>
internal static class KernelCommandLine
{
    /// <summary>What a kernel on KVM needs when its directory does not say.</summary>
    private const string BuiltInCommon = "root=/dev/vda rw console=ttyS0";

    /// <summary>COMMAND_LINE_SIZE of x86 kernels, with the terminating NUL.</summary>
    private const int LongestLine = 2047;

    /// <param name="commonOptions">Of the kernel's directory; null: the built-in ones.</param>
    internal static string Of(QubesVM qube, string? commonOptions)
    {
        StringBuilder line = new();
        if (string.IsNullOrEmpty(qube.Features.CheckWithTemplate("no-default-kernelopts")))
        {
            Append(line, Common(qube, commonOptions));
            Append(line, qube.KernelOpts);
            if (qube.Features.CheckWithTemplate("apparmor") == "1")
            {
                Append(line, "apparmor=1 security=apparmor");
            }
            else if (qube.Features.CheckWithTemplate("selinux") == "1")
            {
                Append(line, "selinux=1 security=selinux");
            }
        }
        else
        {
            Append(line, qube.KernelOpts);
        }

        Append(line, BootProperties.BootModeKernelOpts(qube));
        return line.Length <= LongestLine
            ? line.ToString()
            : throw QubesErrors.General($"The kernel command line of '{qube.Name}' is longer than {LongestLine} characters");
    }

    private static string Common(QubesVM qube, string? commonOptions)
    {
        string options = commonOptions ?? BuiltInCommon;
        if (!string.IsNullOrEmpty(qube.Features.CheckWithTemplate("no-nomodeset")))
        {
            options = string.Join(' ', options.Split(' ').Where(word => word != "nomodeset"));
        }

        return qube.Features.CheckWithTemplate("os") == "Linux" ? $"systemd.machine_id={qube.Uuid.Value:N} {options}" : options;
    }

    private static void Append(StringBuilder line, string options)
    {
        ReadOnlySpan<char> trimmed = options.AsSpan().Trim(' ');
        if (trimmed.Length == 0)
        {
            return;
        }

        if (line.Length > 0)
        {
            line.Append(' ');
        }

        line.Append(trimmed);
    }
}
