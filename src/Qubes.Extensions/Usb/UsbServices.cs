using System.Text;
using Qubes.Lifecycle.Qrexec;
using Qubes.Linux;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.Usb;

/// <summary>
/// The services by which USB devices are passed on (package qubes-usb-proxy): <c>qubes.USBAttach</c> in the frontend, input
/// <c>BACKEND SP PORT LF</c>, which calls <c>qubes.USB+PORT</c> in the backend and so needs a rule that lets it; <c>qubes.USBDetach</c> in the
/// backend, input <c>PORT LF</c>.
/// </summary>
/// <param name="services">Calls services in qubes.</param>
/// <param name="policy">Where the rule is put.</param>
internal sealed class UsbServices(GuestServices services, TemporaryPolicy policy)
{
    // A frontend may have to load a driver first.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private const int NoSuchService = 127;

    /// <summary>What a run that was killed has left must not let anybody through.</summary>
    public Task ClearAsync() => Task.Run(policy.Clear);

    public async Task AttachAsync(string frontend, DevicePort port)
    {
        string rule = $"qubes.USB +{port.PortId} {frontend} {port.Backend} allow user=root";
        await policy.WhileAsync(rule, async () =>
        {
            await CallAsync(frontend, "qubes.USBAttach", $"{port.Backend} {port.PortId}\n", "attach");
            return true;
        });
    }

    public Task DetachAsync(DevicePort port) => CallAsync(port.Backend, "qubes.USBDetach", port.PortId + "\n", "detach");

    private async Task CallAsync(string qube, string service, string input, string what)
    {
        CapturedProcess call;
        try
        {
            call = await services.RunAsync(qube, service, "root", Encoding.ASCII.GetBytes(input), Patience);
        }
        catch (Exception failure) when (failure is TimeoutException or LinuxException)
        {
            throw new QubesException(QubesErrorNames.QubesException, $"Device {what} failed: {failure.Message}", failure);
        }

        if (call.Exit is { Code: NoSuchService, IsSignal: false })
        {
            throw QubesErrors.General($"qubes-usb-proxy not installed in the VM: {qube} has no {service}");
        }

        if (!call.Exit.IsSuccess)
        {
            throw QubesErrors.General($"Device {what} failed: {LogText.Escape(call.OutputText.AsSpan().Trim())} {call.ErrorText}");
        }
    }
}
