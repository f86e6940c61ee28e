using Qubes.Protocol.Devices;

namespace Qubes.Client;

/// <summary>The devices of one class as one qube has them. Holds no state: every member asks the daemon.</summary>
public sealed class QubeDevices
{
    private readonly Qube _qube;

    internal QubeDevices(Qube qube, string deviceClass)
    {
        _qube = qube;
        DeviceClass = deviceClass;
    }

    public string DeviceClass { get; }

    /// <summary>What the qube offers to others.</summary>
    public async ValueTask<IReadOnlyList<DeviceInfo>> ListAvailableAsync(CancellationToken cancellation = default) =>
        [.. (await ListAsync("Available", cancellation)).Select(line => DeviceInfoText.ParseLine(line, DeviceClass, _qube.Name))];

    /// <summary>What the qube has at the moment.</summary>
    public async ValueTask<IReadOnlyList<AssignmentRequest>> ListAttachedAsync(CancellationToken cancellation = default) =>
        [.. (await ListAsync("Attached", cancellation)).Select(line => AssignmentRequest.ParseLine(line, DeviceClass))];

    /// <summary>What the qube gets by itself.</summary>
    public async ValueTask<IReadOnlyList<AssignmentRequest>> ListAssignedAsync(CancellationToken cancellation = default) =>
        [.. (await ListAsync("Assigned", cancellation)).Select(line => AssignmentRequest.ParseLine(line, DeviceClass))];

    public async ValueTask AttachAsync(
        VirtualDevice device, IReadOnlyList<KeyValuePair<string, string>> options, CancellationToken cancellation = default) =>
        await CallAsync("Attach", device, new AssignmentRequest(device, AssignmentModes.Manual, options, _qube.Name).Write(), cancellation);

    public async ValueTask DetachAsync(VirtualDevice device, CancellationToken cancellation = default) =>
        await CallAsync("Detach", device, "", cancellation);

    /// <param name="device">Which; a port or an identity may be any.</param>
    /// <param name="mode">One of the automatic <see cref="AssignmentModes"/>.</param>
    /// <param name="options">In order.</param>
    /// <param name="cancellation">Stops waiting for the answer; the daemon goes on.</param>
    public async ValueTask AssignAsync(
        VirtualDevice device, string mode, IReadOnlyList<KeyValuePair<string, string>> options, CancellationToken cancellation = default) =>
        await CallAsync("Assign", device, new AssignmentRequest(device, mode, options, _qube.Name).Write(), cancellation);

    public async ValueTask UnassignAsync(VirtualDevice device, CancellationToken cancellation = default) =>
        await CallAsync("Unassign", device, "", cancellation);

    /// <summary>Changes the mode of an assignment and keeps its options.</summary>
    public async ValueTask SetAssignmentAsync(VirtualDevice device, string mode, CancellationToken cancellation = default) =>
        await CallAsync("Set.assignment", device, mode, cancellation);

    private async ValueTask<string[]> ListAsync(string call, CancellationToken cancellation) =>
        PropertyHolder.Lines(await _qube.CallAsync($"admin.vm.device.{DeviceClass}.{call}", cancellation: cancellation));

    private async ValueTask CallAsync(string call, VirtualDevice device, string payload, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(device);
        await _qube.CallAsync($"admin.vm.device.{DeviceClass}.{call}", device.ToArgument(), payload, cancellation);
    }
}
