using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions;

/// <summary>
/// Features <c>service.NAME</c> turn services inside a qube on and off. Their names become keys of limited length;
/// <c>service.meminfo-writer</c> is the old way to turn memory balancing on and off. A template tells by
/// <c>supported-service.NAME</c> which services it has.
/// </summary>
internal sealed class ServicesExtension
{
    private const string Prefix = "service.";
    private const string MeminfoWriter = "service.meminfo-writer";
    private const string MeminfoWriterPath = "/qubes-service/meminfo-writer";
    private const string AppDispVMPrefix = "app-dispvm.";
    private const string AppArmor = "supported-service.apparmor";
    private const int MaxNameLength = 48;

    private readonly ILogger _log;
    private readonly ServiceMarkers? _markers;

    private ServicesExtension(ILogger log, ServiceMarkers? markers)
    {
        _log = log;
        _markers = markers;
    }

    public static void Register(QubesApp app, DurableEvents durable, BuiltInExtensionOptions options)
    {
        ServiceMarkers? markers = options.ServiceMarkerDirectory is { } directory ? new ServiceMarkers(directory, options.Log) : null;
        ServicesExtension extension = new(options.Log, markers);
        app.Events.On(EmitterClass.LocalVM, "domain-feature-pre-set:service.*", BeforeSet);
        app.Events.On(EmitterClass.QubesVM, "domain-feature-set:" + MeminfoWriter, AfterMeminfoWriter);
        app.Events.On(EmitterClass.QubesVM, "domain-load", MigrateMeminfoWriter);
        app.Events.On(EmitterClass.AdminVM, "domain-load", extension.MarkAll);
        app.Events.On(EmitterClass.LocalVM, "features-request", extension.OnRequest);
        new FeatureKeys(Prefix, extension.Write, extension.Remove).Register(app, durable);

        // After the features: this key tells what is so, whatever they say.
        app.Events.On(EmitterClass.QubesVM, "domain-qdb-create", WriteMeminfoWriter);
    }

    /// <summary>The key of an application's own disposable template.</summary>
    internal static string HashOf(string application) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(application)));

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
        if (service.Length > MaxNameLength && !service.StartsWith(AppDispVMPrefix, StringComparison.Ordinal))
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

    private static void WriteMeminfoWriter(QubesEvent created)
    {
        QubesVM qube = (QubesVM)created.Subject;
        qube.QubesDb.Write(MeminfoWriterPath, qube.MaxMem > 0 ? "1" : "0");
    }

    private void Write(LocalQube qube, string service, string value)
    {
        bool isOn = value.Length > 0;
        if (service.StartsWith(AppDispVMPrefix, StringComparison.Ordinal))
        {
            WriteApplication(qube, service[AppDispVMPrefix.Length..], isOn);
        }

        if (!IsKey(service))
        {
            return;
        }

        qube.QubesDb.Write("/qubes-service/" + service, isOn ? "1" : "0");
        if (qube is AdminVM)
        {
            _markers?.Set(service, isOn);
        }
    }

    private void Remove(LocalQube qube, string service)
    {
        // Memory balancing has the key whether or not there is a feature.
        if (service == MeminfoWriter[Prefix.Length..])
        {
            return;
        }

        if (service.StartsWith(AppDispVMPrefix, StringComparison.Ordinal))
        {
            WriteApplication(qube, service[AppDispVMPrefix.Length..], isOn: false);
        }

        if (!IsKey(service))
        {
            return;
        }

        qube.QubesDb.Remove("/qubes-service/" + service);
        if (qube is AdminVM)
        {
            _markers?.Set(service, isOn: false);
        }
    }

    private static void WriteApplication(LocalQube qube, string application, bool isOn)
    {
        string path = "/hash-app-dispvm/" + HashOf(application);
        if (isOn)
        {
            qube.QubesDb.Write(path, application);
        }
        else
        {
            qube.QubesDb.Remove(path);
        }
    }

    // Also decides for names of an old store, which nobody has checked.
    private static bool IsKey(string service) =>
        service.Length is > 0 and <= MaxNameLength && service is not ("." or "..") && !service.Contains('/', StringComparison.Ordinal);

    private void MarkAll(QubesEvent loaded)
    {
        foreach ((string feature, string value) in ((AdminVM)loaded.Subject).Features.All)
        {
            if (feature.StartsWith(Prefix, StringComparison.Ordinal) && IsKey(feature[Prefix.Length..]))
            {
                _markers?.Set(feature[Prefix.Length..], value.Length > 0);
            }
        }
    }

    private void OnRequest(QubesEvent request)
    {
        LocalQube qube = (LocalQube)request.Subject;
        if (!FeaturesRequest.IsForTemplateOrStandalone(qube, _log))
        {
            return;
        }

        FeaturesRequest.Advertise(request, "supported-service.", (feature, isNew) =>
        {
            // Where the kernel's profile is supported it is switched on, unless somebody has said otherwise.
            if (feature != AppArmor)
            {
                return;
            }

            if (isNew && !qube.Features.Contains("apparmor"))
            {
                qube.Features.Set("apparmor", value: true);
            }
            else if (!isNew && qube.Features.Get("apparmor") == "1")
            {
                qube.Features.Remove("apparmor");
            }
        });
    }
}
