using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Model.Events;

namespace Qubes.Lifecycle.Disposables;

/// <summary>Everything that makes a template look after the disposables it keeps ready.</summary>
internal sealed class PreloadTriggers(DisposableContext context, PreloadRefill refill, DisposableCleaner cleaner)
{
    private const int DelayAfterStop = 4;
    private const int DelayAfterProperty = 30;

    internal void Register(EventHandlers events)
    {
        EmitterClass level = EmitterClass.DVMTemplateMixin;
        events.On(level, "domain-shutdown", stopped => AfterStop((QubesVM)stopped.Subject), own: true);
        events.On(EmitterClass.TemplateVM, "domain-shutdown", AfterTemplateStop, own: true);
        events.On(level, "property-set:*", AfterProperty, own: true);
        events.On(level, "property-reset:*", AfterProperty, own: true);
        events.On(level, DisposableTemplateProperties.TemplateForDispVMs.SetEvent, AfterRole, own: true);
        events.On(level, DisposableTemplateProperties.TemplateForDispVMs.ResetEvent, AfterRole, own: true);
        events.On(EmitterClass.AppVM, AppVMProperties.Template.SetEvent, AfterTemplate, own: true);
        events.On(level, "domain-feature-set:" + PreloadFeatures.Max, AfterMax, own: true);
        events.On(level, "domain-feature-delete:" + PreloadFeatures.Max, AfterMaxDeleted, own: true);
        events.On(EmitterClass.AdminVM, "domain-feature-set:" + PreloadFeatures.Max, AfterGlobalMax, own: true);
        events.On(EmitterClass.AdminVM, "domain-feature-delete:" + PreloadFeatures.Max, AfterGlobalMax, own: true);
        events.On(EmitterClass.Qubes, QubesAppProperties.DefaultDispVM.SetEvent, AfterDefaultTemplate, own: true);
        events.On(EmitterClass.Qubes, QubesAppProperties.DefaultDispVM.ResetEvent, AfterDefaultTemplate, own: true);
    }

    private static bool IsTemplate(Qube? qube) => qube is IDisposableTemplate { TemplateForDispVMs: true };

    private void AfterStop(QubesVM template)
    {
        if (IsTemplate(template))
        {
            refill.RefreshInBackground(template, "of outdated volume(s)", DelayAfterStop);
        }
    }

    private void AfterTemplateStop(QubesEvent stopped)
    {
        foreach (AppVM based in ((TemplateVM)stopped.Subject).BasedQubes.ToArray())
        {
            AfterStop(based);
        }
    }

    private void AfterProperty(QubesEvent changed)
    {
        if (changed.Arguments["name"] is string name && !PreloadFreshness.Ignored.Contains(name) && IsTemplate((Qube)changed.Subject))
        {
            refill.RefreshInBackground((QubesVM)changed.Subject, $"of outdated property '{name}'", DelayAfterProperty);
        }
    }

    private void AfterRole(QubesEvent changed)
    {
        QubesVM template = (QubesVM)changed.Subject;
        if (!IsTemplate(template))
        {
            cleaner.Trim(template, 0);
        }
        else if (changed.Arguments["oldvalue"] is not true && PreloadSettings.HasVacancy(template))
        {
            refill.StartInBackground(template, "template_for_dispvms was enabled");
        }
    }

    /// <summary>They were started from the volumes of the template before.</summary>
    private void AfterTemplate(QubesEvent changed)
    {
        AppVM template = (AppVM)changed.Subject;
        if (changed.Arguments["oldvalue"] == template.Template || !template.TemplateForDispVMs)
        {
            return;
        }

        cleaner.Trim(template, 0);
        if (PreloadSettings.HasVacancy(template))
        {
            refill.StartInBackground(template, "template was changed");
        }
    }

    private void AfterMax(QubesEvent changed)
    {
        QubesVM template = (QubesVM)changed.Subject;
        if (IsTemplate(template) && !Equals(changed.Arguments["value"], changed.Arguments["oldvalue"])
            && PreloadSettings.GlobalMaximum(template) is null)
        {
            refill.StartInBackground(template, "local feature was set");
        }
    }

    private void AfterMaxDeleted(QubesEvent changed)
    {
        QubesVM template = (QubesVM)changed.Subject;
        if (PreloadSettings.GlobalMaximum(template) is null)
        {
            cleaner.Trim(template, 0);
        }
    }

    private void AfterGlobalMax(QubesEvent changed)
    {
        if (QubesAppProperties.DefaultDispVM.Get(context.App) is QubesVM template)
        {
            refill.StartInBackground(template, "global feature was changed");
        }
    }

    private void AfterDefaultTemplate(QubesEvent changed)
    {
        object? now = QubesAppProperties.DefaultDispVM.Get(context.App);
        object? before = changed.Arguments["oldvalue"];
        if (now == before)
        {
            return;
        }

        foreach (object? each in (ReadOnlySpan<object?>)[before, now])
        {
            if (each is QubesVM { IsInCollection: true } template && PreloadSettings.IsGlobalDistinct(template))
            {
                refill.StartInBackground(template, "default_dispvm was changed");
            }
        }
    }
}
