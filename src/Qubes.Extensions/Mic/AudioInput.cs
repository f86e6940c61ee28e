using System.Text;
using Qubes.Lifecycle.Qrexec;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.Mic;

/// <summary>
/// Tells the qube that plays a frontend's sound whether to let the microphone through: by its services <c>qubes.AudioInputEnable+FRONTEND</c>
/// and <c>qubes.AudioInputDisable+FRONTEND</c> where it has said that it has them, else by <c>1</c> or <c>0</c> at
/// <c>/audio-input-config/FRONTEND</c> in its QubesDB. Belongs to the model loop.
/// </summary>
/// <param name="services">Calls services in qubes; null where there is no qrexec.</param>
internal sealed class AudioInput(GuestServices? services)
{
    private const string On = "1";
    private const string Off = "0";
    private const string ConfigDirectory = "/audio-input-config/";
    private const string StatusDirectory = "/audio-input/";

    /// <summary>What a frontend's last run may have left in the audiovm: what was let through, what is, what it asks for.</summary>
    private static readonly string[] Leftovers = [ConfigDirectory, StatusDirectory, "/audio-input-request/"];

    // The agent has nothing to do but to note it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>It is told by a service rather than by an entry.</summary>
    public static bool HasService(LocalQube audio, bool isOn) =>
        audio is QubesVM && audio.Features.CheckWithTemplate("supported-rpc." + Service(isOn)) is { Length: > 0 };

    /// <summary>Returns once the audiovm knows.</summary>
    /// <exception cref="QubesException">It does not.</exception>
    public async Task SetAsync(LocalQube audio, QubesVM frontend, bool isOn)
    {
        if (HasService(audio, isOn))
        {
            await CallAsync(audio, frontend, isOn);
        }
        else
        {
            SetEntry(audio, frontend, isOn);
            await audio.QubesDb.FlushAsync();
        }
    }

    /// <summary>The next qube of that name starts deaf. A service has nobody to tell any more: the audiovm's agent for a qube ends with it.</summary>
    public static void Forget(LocalQube audio, QubesVM frontend)
    {
        if (!HasService(audio, isOn: false))
        {
            SetEntry(audio, frontend, isOn: false);
        }
    }

    /// <summary>Removes what the last run of a frontend has left.</summary>
    public static void Clear(LocalQube audio, QubesVM frontend)
    {
        foreach (string directory in Leftovers)
        {
            audio.QubesDb.Remove(directory + frontend.Name);
        }
    }

    /// <summary>Whether the microphone is let through, as the audiovm's QubesDB has it: what we wrote, or else what its agent says.</summary>
    public static async Task<bool> IsOnAsync(LocalQube audio, QubesVM frontend) =>
        await audio.QubesDb.ReadUntrustedAsync((HasService(audio, isOn: true) ? StatusDirectory : ConfigDirectory) + frontend.Name) is { } untrusted
        && Encoding.Latin1.GetString(untrusted) == On;

    private static string Service(bool isOn) => isOn ? "qubes.AudioInputEnable" : "qubes.AudioInputDisable";

    private static void SetEntry(LocalQube audio, QubesVM frontend, bool isOn) =>
        audio.QubesDb.Write(ConfigDirectory + frontend.Name, isOn ? On : Off);

    private async Task CallAsync(LocalQube audio, QubesVM frontend, bool isOn)
    {
        string failed = isOn
            ? $"Failed to attach audio input from {audio.Name} to {frontend.Name}: "
            : $"Failed to detach audio input from {audio.Name} to {frontend.Name}: ";
        if (services is null)
        {
            throw QubesErrors.VM(failed + "no services can be called without qrexec");
        }

        CapturedProcess call;
        try
        {
            call = await services.RunAsync(audio.Name, $"{Service(isOn)}+{frontend.Name}", GuestServices.DefaultUser, input: default, Patience);
        }
        catch (Exception failure) when (failure is TimeoutException or LinuxException)
        {
            throw new QubesException(QubesErrorNames.VMError, failed + failure.Message, failure);
        }

        if (!call.Exit.IsSuccess)
        {
            throw QubesErrors.VM(failed + (call.ErrorText.Length > 0 ? call.ErrorText : "pulseaudio agent not running"));
        }
    }
}
