using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Extensions;

/// <summary>
/// Qubes and the guivm that shows their windows: the tag <c>guivm-NAME</c>, the keyboard layout handed down, and no shutdown of a
/// guivm while it shows somebody's windows.
/// </summary>
internal static class GuiExtension
{
    public static void Register(QubesApp app)
    {
        new ServedQubeTag(QubesVMProperties.GuiVM, QubesAppProperties.DefaultGuiVM, "guivm-").Register(app);
        app.Events.On(EmitterClass.LocalVM, QubesVMProperties.KeyboardLayout.SetEvent, AfterKeyboardLayout);
        app.Events.On(EmitterClass.LocalVM, "domain-pre-shutdown", BeforeShutdown);
        app.Events.On(EmitterClass.QubesVM, "domain-tag-add:created-by-*", AfterCreation);
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
