using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Protocol.Text;

namespace Qubes.Extensions;

/// <summary>
/// Qubes and the guivm that shows their windows: the tag <c>guivm-NAME</c>, the keyboard layout handed down, and no shutdown of a
/// guivm while it shows somebody's windows.
/// </summary>
internal static class GuiExtension
{
    private const string DomainKey = "/qubes-gui-domain-xid";
    private const string InputTrigger = "/usr/bin/qubes-input-trigger";

    private static readonly string[] PublishedFeatures = ["gui-videoram-overhead", "gui-videoram-min"];

    public static void Register(QubesApp app, DurableEvents durable, ILogger log)
    {
        new ServedQubeTag(QubesVMProperties.GuiVM, QubesAppProperties.DefaultGuiVM, "guivm-").Register(app);
        app.Events.On(EmitterClass.LocalVM, QubesVMProperties.KeyboardLayout.SetEvent, AfterKeyboardLayout);
        app.Events.On(EmitterClass.LocalVM, "domain-pre-shutdown", BeforeShutdown);
        app.Events.On(EmitterClass.QubesVM, "domain-tag-add:created-by-*", AfterCreation);
        app.Events.On(EmitterClass.QubesVM, "domain-qdb-create", WriteAll);
        app.Events.On(EmitterClass.LocalVM, "domain-start", started => AfterStart((LocalQube)started.Subject, log));
        durable.On("property-set", "keyboard_layout", WriteKeyboardLayout);
        durable.On("property-reset", "keyboard_layout", WriteKeyboardLayout);
    }

    private static void WriteAll(QubesEvent created)
    {
        QubesVM qube = (QubesVM)created.Subject;
        foreach (string feature in PublishedFeatures)
        {
            if (qube.Features.CheckWithTemplateAndAdminVM(feature) is { } value)
            {
                qube.QubesDb.Write("/qubes-" + feature, value);
            }
        }

        LocalQube? guivm = qube.GuiVM;
        qube.QubesDb.Write("/qubes-gui-enabled", PythonText.Bool(guivm is not null && IsGuiWanted(qube)));
        if (guivm is not null && guivm != qube)
        {
            qube.QubesDb.Write("/keyboard-layout", qube.KeyboardLayout);
            if (guivm.IsRunning)
            {
                qube.QubesDb.Write(DomainKey, DomainNumber.Of(guivm));
            }
        }

        if (qube.Features.IsTrue("service.guivm"))
        {
            qube.QubesDb.Write("/guivm-windows-prefix", qube.Features.Get("guivm-windows-prefix") ?? "GuiVM");
        }
    }

    private static bool IsGuiWanted(QubesVM qube) => qube.Features.Get("gui") is not "";

    /// <summary>Qubes that started before their guivm learn where it is.</summary>
    private static void AfterStart(LocalQube guivm, ILogger log)
    {
        foreach (QubesVM client in Clients(guivm).Where(c => c.IsRunning))
        {
            client.QubesDb.Write("/qubes-gui-enabled", PythonText.Bool(IsGuiWanted(client)));
            client.QubesDb.Write(DomainKey, DomainNumber.Of(guivm));
        }

        if (guivm.Features.IsTrue("input-dom0-proxy"))
        {
            _ = Task.Run(() => StartInputProxy(log));
        }
    }

    private static void StartInputProxy(ILogger log)
    {
        try
        {
            ChildProcess.Start(new ChildProcessOptions { FileName = InputTrigger, Arguments = ["--all", "--dom0"], NewSession = true });
        }
        catch (LinuxException e)
        {
            log.LogWarning("The input devices of dom0 cannot be given to its guivm: {Reason}", e.Message);
        }
    }

    private static void WriteKeyboardLayout(QubesEvent changed)
    {
        if (changed.Subject is LocalQube { IsRunning: true } qube)
        {
            qube.QubesDb.Write("/keyboard-layout", qube.KeyboardLayout);
        }
    }

    private static void AfterKeyboardLayout(QubesEvent qubesEvent)
    {
        if (Equals(qubesEvent.Arguments["newvalue"], qubesEvent.Arguments["oldvalue"]))
        {
            return;
        }

        foreach (QubesVM client in Clients((LocalQube)qubesEvent.Subject).Where(c => !QubesVMProperties.KeyboardLayout.IsExplicit(c)).ToArray())
        {
            client.Fire(
                QubesVMProperties.KeyboardLayout.ResetEvent, EventArguments.Of("name", QubesVMProperties.KeyboardLayout.Name));
        }
    }

    private static void BeforeShutdown(QubesEvent qubesEvent)
    {
        string[] running = [.. Clients((LocalQube)qubesEvent.Subject).Where(c => c.IsRunning).Select(c => c.Name.Value)];
        if (running.Length > 0 && qubesEvent.Arguments["force"] is not true)
        {
            throw QubesErrors.VM($"There are running VMs using this VM as GuiVM: {string.Join(", ", running)}");
        }
    }

    private static void AfterCreation(QubesEvent qubesEvent)
    {
        QubesVM created = (QubesVM)qubesEvent.Subject;
        string creator = ((string)qubesEvent.Arguments["tag"]!)["created-by-".Length..];
        if (created.App.Domains.TryGet(creator, out Qube? qube) && qube.Features.Get("set-created-guivm") is { Length: > 0 } guivm
            && QubeName.TryParse(guivm, out _))
        {
            QubesVMProperties.GuiVM.SetInput(created, guivm);
        }
    }

    // A qube that is its own guivm is no reason to keep it running.
    private static IEnumerable<QubesVM> Clients(LocalQube guivm) =>
        guivm.App.Domains.OfType<QubesVM>().Where(qube => qube != guivm && qube.GuiVM == guivm);
}
