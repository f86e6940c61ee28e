using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions;

/// <summary>Qubes and the audiovm that plays their sound: the tag <c>audiovm-NAME</c>, and no shutdown of an audiovm in use.</summary>
internal static class AudioExtension
{
    public static void Register(QubesApp app)
    {
        new ServedQubeTag(QubesVMProperties.AudioVM, QubesAppProperties.DefaultAudioVM, "audiovm-").Register(app);
        app.Events.On(EmitterClass.LocalVM, "domain-pre-shutdown", BeforeShutdown);
    }

    private static void BeforeShutdown(QubesEvent qubesEvent)
    {
        LocalQube audiovm = (LocalQube)qubesEvent.Subject;
        string[] running =
        [
            .. audiovm.App.Domains.OfType<QubesVM>()
                .Where(qube => qube != audiovm && qube.IsRunning && qube.AudioVM == audiovm).Select(qube => qube.Name.Value),
        ];
        if (running.Length > 0 && qubesEvent.Arguments["force"] is not true)
        {
            throw QubesErrors.VMInUse(
                audiovm.Name, $"There are running VMs using this VM as AudioVM: {string.Join(", ", running)}");
        }
    }
}
