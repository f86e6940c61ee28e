using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions;

/// <summary>
/// Features <c>service.NAME</c> turn services inside a qube on and off. Their names become keys of limited length;
/// <c>service.meminfo-writer</c> is the old way to turn memory balancing on and off.
/// </summary>
internal static class ServicesExtension
{
    private const string Prefix = "service.";
    private const string MeminfoWriter = "service.meminfo-writer";
    private const int MaxNameLength = 48;

    public static void Register(QubesApp app)
    {
        app.Events.On(EmitterClass.LocalVM, "domain-feature-pre-set:service.*", BeforeSet);
        app.Events.On(EmitterClass.QubesVM, "domain-feature-set:" + MeminfoWriter, AfterMeminfoWriter);
        app.Events.On(EmitterClass.QubesVM, "domain-load", MigrateMeminfoWriter);
    }

    private static void BeforeSet(QubesEvent qubesEvent)
    {
        string service = qubesEvent.Detail[Prefix.Length..].ToString();
        if (service.Length == 0)
        {
            throw QubesErrors.Value("Service name cannot be empty");
        }

        if (service.Contains('/'))
        {
            throw QubesErrors.Value("Service name cannot contain a slash");
        }

        if (service is "." or "..")
        {
            throw QubesErrors.Value("Service name cannot be \".\" or \"..\"");
        }

        // The names of applications are hashed before they become keys.
        if (service.Length > MaxNameLength && !service.StartsWith("app-dispvm.", StringComparison.Ordinal))
        {
            throw QubesErrors.Value("Service name must not exceed 48 bytes");
        }
    }

    private static void AfterMeminfoWriter(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        if (qubesEvent.Arguments["value"] is "")
        {
            MemoryProperties.MaxMem.Set(qube, 0);
        }
        else
        {
            MemoryProperties.MaxMem.Reset(qube);
        }

        qube.Features.Remove(MeminfoWriter);
    }

    private static void MigrateMeminfoWriter(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        if (!qube.Features.TryGet(MeminfoWriter, out string? value))
        {
            return;
        }

        if (value.Length == 0)
        {
            MemoryProperties.MaxMem.Set(qube, 0);
        }

        qube.Features.Remove(MeminfoWriter);
    }
}
