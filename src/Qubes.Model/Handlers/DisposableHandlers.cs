using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;

namespace Qubes.Model.Handlers;

/// <summary>
/// Disposables and their templates: how the one follows the other, and the rules of the features by which disposables are kept ready.
/// </summary>
internal static class DisposableHandlers
{
    public static void Register(EventHandlers events)
    {
        events.On(EmitterClass.DispVM, DispVMProperties.Template.SetEvent, FollowTemplate, own: true);
        events.On(EmitterClass.Qubes, "domain-delete", LeaveList, own: true);
        EmitterClass level = EmitterClass.DVMTemplateMixin;
        events.On(level, "domain-pre-start", RefuseChangingUnderDisposables, own: true);
        events.On(level, "domain-feature-pre-set:" + PreloadFeatures.Max, BeforeMax, own: true);
        events.On(level, "domain-feature-pre-set:" + PreloadFeatures.Delay, BeforeDelay, own: true);
        events.On(level, "domain-feature-pre-set:" + PreloadFeatures.List, BeforeList, own: true);
        events.On(level, "domain-feature-set:" + PreloadFeatures.List, AfterList, own: true);
        events.On(EmitterClass.AdminVM, "domain-feature-pre-set:" + PreloadFeatures.Max, BeforeGlobalMax, own: true);
        events.On(EmitterClass.AdminVM, "domain-feature-pre-set:" + PreloadFeatures.Delay, BeforeDelay, own: true);
        events.On(EmitterClass.AdminVM, "domain-feature-pre-set:" + PreloadFeatures.Threshold, BeforeThreshold, own: true);
    }

    /// <summary>However a disposable goes, its template no longer counts on it.</summary>
    private static void LeaveList(QubesEvent qubesEvent)
    {
        if (qubesEvent.Arguments["vm"] is DispVM { Template: { } template } gone)
        {
            PreloadList.Remove(template, gone.Name);
        }
    }

    private static void FollowTemplate(QubesEvent qubesEvent)
    {
        DispVM qube = (DispVM)qubesEvent.Subject;
        if (qube.Template is { } template && qubesEvent.Arguments["oldvalue"] != template)
        {
            TemplateHandlers.Repoint(qube, template);
        }
    }

    /// <summary>Without snapshots the template would write to the very volume its disposables read.</summary>
    private static void RefuseChangingUnderDisposables(QubesEvent qubesEvent)
    {
        QubesVM template = (QubesVM)qubesEvent.Subject;
        if (template.Volumes.All.FirstOrDefault(volume => volume.RevisionsToKeep < 0) is { } volume
            && template.App.Domains.OfType<DispVM>().FirstOrDefault(disposable => disposable.Template == template && disposable.IsRunning) is { } running)
        {
            throw QubesErrors.VMNotHalted(
                running.Name,
                $"Volume {volume.Name} of {PythonText.Repr(template.Name)} has snapshots disabled, and disposable {PythonText.Repr(running.Name)} uses it");
        }
    }

    private static void BeforeMax(QubesEvent qubesEvent)
    {
        QubesVM template = (QubesVM)qubesEvent.Subject;
        if (!PreloadSettings.IsTrue(template, "qrexec"))
        {
            throw QubesErrors.Value($"{template.Name}: preloading needs the feature qrexec");
        }

        PreloadSettings.RequireSupport(template);
        RequireNumber(qubesEvent);
    }

    private static void BeforeGlobalMax(QubesEvent qubesEvent)
    {
        RequireNumber(qubesEvent);

        // What is true of the number is true for the qube it applies to.
        if (QubesAppProperties.DefaultDispVM.Get(qubesEvent.Subject.App) is { } template)
        {
            template.FirePre(qubesEvent.Name, qubesEvent.Arguments);
        }
    }

    private static void BeforeThreshold(QubesEvent qubesEvent) => RequireNumber(qubesEvent);

    private static void BeforeDelay(QubesEvent qubesEvent)
    {
        if (!PreloadSettings.TryDelay((string)qubesEvent.Arguments["value"]!, out _))
        {
            throw QubesErrors.Value($"Invalid {qubesEvent.Arguments["feature"]} value: not a number of seconds");
        }
    }

    private static void RequireNumber(QubesEvent qubesEvent)
    {
        if (!PreloadSettings.IsNumber((string)qubesEvent.Arguments["value"]!))
        {
            throw QubesErrors.Value($"Invalid {qubesEvent.Arguments["feature"]} value: not a digit");
        }
    }

    private static void BeforeList(QubesEvent qubesEvent) =>
        PreloadList.Check((QubesVM)qubesEvent.Subject, (string)qubesEvent.Arguments["value"]!);

    private static void AfterList(QubesEvent qubesEvent)
    {
        string[] before = PreloadList.Split(qubesEvent.Arguments["oldvalue"] as string);
        string[] after = PreloadList.Split((string)qubesEvent.Arguments["value"]!);
        foreach (string name in before.Except(after).Concat(after.Except(before)))
        {
            if (qubesEvent.Subject.App.Domains.TryGet(name, out Qube? qube) && qube is DispVM disposable)
            {
                QubeHandlers.Announce(disposable, DispVMProperties.IsPreload);
            }
        }
    }
}
