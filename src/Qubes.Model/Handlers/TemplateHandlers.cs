using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Handlers;

/// <summary>How a template's values show in the qubes based on it, and how a qube follows a change of its template.</summary>
internal static class TemplateHandlers
{
    private static readonly PropertyDefinition[] Inherited =
    [
        QubesVMProperties.DefaultUser, BootProperties.Kernel, BootProperties.KernelOpts, MemoryProperties.VCpus, MemoryProperties.Memory,
        MemoryProperties.MaxMem, QubesVMProperties.QrexecTimeout, QubesVMProperties.ShutdownTimeout, QubesVMProperties.ManagementDispVM,
    ];

    public static void Register(EventHandlers events)
    {
        foreach (PropertyDefinition property in Inherited)
        {
            OnTemplate(events, property.SetEvent, property);
            OnTemplate(events, property.ResetEvent, property);
        }

        OnTemplate(events, TemplateVMProperties.AppVMDefaultBootMode.SetEvent, BootProperties.BootMode);
        OnTemplate(events, TemplateVMProperties.AppVMDefaultBootMode.ResetEvent, BootProperties.BootMode);
        OnTemplate(events, "domain-feature-set:boot-mode.appvm-default", BootProperties.BootMode);
        OnTemplate(events, "domain-feature-delete:boot-mode.appvm-default", BootProperties.BootMode);
        events.On(EmitterClass.AppVM, AppVMProperties.Template.PreSetEvent, RefuseUnderDisposables, own: true);
        events.On(EmitterClass.AppVM, AppVMProperties.Template.SetEvent, FollowTemplate, own: true);
    }

    private static void OnTemplate(EventHandlers events, string name, PropertyDefinition property)
    {
        events.On(EmitterClass.TemplateVM, name, Announce, own: true);

        void Announce(QubesEvent qubesEvent)
        {
            foreach (AppVM qube in ((TemplateVM)qubesEvent.Subject).BasedQubes.ToArray())
            {
                if (!property.IsExplicit(qube))
                {
                    QubeHandlers.Announce(qube, property);
                }
            }
        }
    }

    private static void RefuseUnderDisposables(QubesEvent qubesEvent)
    {
        AppVM qube = (AppVM)qubesEvent.Subject;
        string[] running =
        [
            .. qube.App.Domains.OfType<DispVM>().Where(d => d.Template == qube && d.IsRunning && !d.IsPreload).Select(d => d.Name.Value),
        ];
        if (running.Length > 0)
        {
            throw QubesErrors.VMInUse(qube.Name, $"Cannot change template while there are disposables based on this qube running: {string.Join(", ", running)}");
        }
    }

    private static void FollowTemplate(QubesEvent qubesEvent)
    {
        AppVM qube = (AppVM)qubesEvent.Subject;
        if (qube.Template is not { } template || qubesEvent.Arguments["oldvalue"] == template)
        {
            return;
        }

        Repoint(qube, template);
        foreach (DispVM disposable in qube.App.Domains.OfType<DispVM>().Where(d => d.Template == qube).ToArray())
        {
            Repoint(disposable, qube);
        }
    }

    /// <summary>Lets the snapshots of a qube begin from the volumes of another template.</summary>
    internal static void Repoint(QubesVM qube, QubesVM template)
    {
        foreach (VolumeConfig volume in qube.Volumes.All.Where(v => v.SnapOnStart).ToArray())
        {
            bool has = template.Volumes.TryGet(volume.Name, out VolumeConfig? origin);
            qube.Volumes.Set(volume with
            {
                Source = null,
                SourceFromTemplate = true,
                Pool = has ? origin!.Pool : volume.Pool,
                Size = has ? origin!.Size : volume.Size,
            });
        }
    }
}
