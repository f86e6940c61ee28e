using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Model;

namespace Qubes.Extensions.OutOfProcess.Calls;

/// <summary>Tells which devices qubes have.</summary>
internal static class DeviceCalls
{
    // {"class": CLASS, "qube": BACKEND, "devices": [DEVICE, …]} → null; the list is the whole of what that qube has

    public static Action<Utf8JsonWriter>? Set(ExtensionSession session, QubesApp app, RpcParams parameters)
    {
        string deviceClass = parameters.Text("class");
        if (!session.Registrations.DeviceClasses.TryGetValue(deviceClass, out PublishedDevices? devices) || devices.Session != session)
        {
            throw RpcException.InvalidParams($"'{deviceClass}' is not among the device_classes of this extension");
        }

        devices.Publish(ModelCalls.LocalQubeOf(app, parameters), parameters.Objects("devices", PublishedDevices.MaxDevices));
        return null;
    }
}
