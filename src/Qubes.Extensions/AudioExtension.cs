using Microsoft.Extensions.Logging;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions;

/// <summary>
/// Qubes and the audiovm that plays their sound: the tag <c>audiovm-NAME</c>, the audiovm's number in each qube's QubesDB, and no
/// shutdown of an audiovm in use.
/// </summary>
internal static class AudioExtension
{
    private const string DomainKey = "/qubes-audio-domain-xid";

    public static void Register(QubesApp app, DurableEvents durable, ILogger log)
    {
        new ServedQubeTag(QubesVMProperties.AudioVM, QubesAppProperties.DefaultAudioVM, "audiovm-").Register(app);
        app.Events.On(EmitterClass.LocalVM, "domain-pre-shutdown", BeforeShutdown);
        app.Events.On(EmitterClass.QubesVM, "domain-qdb-create", created => Write((QubesVM)created.Subject));
        app.Events.On(EmitterClass.LocalVM, "domain-start", AfterStart);
        durable.On("property-set", "audiovm", changed => AfterChange(changed, log));
        durable.On("property-reset", "audiovm", changed => AfterChange(changed, log));
    }

    private static void Write(QubesVM qube)
    {
        LocalQube? audiovm = qube.AudioVM;
        if (audiovm is null)
        {
            qube.QubesDb.Remove(DomainKey);
        }
        else if (audiovm != qube && audiovm.IsRunning)
        {
            qube.QubesDb.Write(DomainKey, DomainNumber.Of(audiovm));
        }
    }

    private static void AfterChange(QubesEvent changed, ILogger log)
    {
        if (changed.Subject is not QubesVM { IsRunning: true } qube)
        {
            return;
        }

        Write(qube);
        if (qube.Features.CheckWithTemplate("audio-model") is { Length: > 0 })
        {
            log.LogWarning("{Qube} has an emulated sound card, which stays with its audiovm until the qube is started again", qube.Name);
        }
    }

    /// <summary>Qubes that started before their audiovm learn where it is.</summary>
    private static void AfterStart(QubesEvent started)
    {
        LocalQube audiovm = (LocalQube)started.Subject;
        foreach (QubesVM client in RunningClients(audiovm))
        {
            client.QubesDb.Write(DomainKey, DomainNumber.Of(audiovm));
        }
    }

    private static void BeforeShutdown(QubesEvent qubesEvent)
    {
        LocalQube audiovm = (LocalQube)qubesEvent.Subject;
        string[] running = [.. RunningClients(audiovm).Where(qube => qube is not DispVM { IsPreload: true }).Select(qube => qube.Name.Value)];
        if (running.Length > 0 && qubesEvent.Arguments["force"] is not true)
        {
            throw QubesErrors.VMInUse(
                audiovm.Name, $"There are running VMs using this VM as AudioVM: {string.Join(", ", running)}");
        }
    }

    private static IEnumerable<QubesVM> RunningClients(LocalQube audiovm) =>
        audiovm.App.Domains.OfType<QubesVM>().Where(qube => qube != audiovm && qube.IsRunning && qube.AudioVM == audiovm);
}
