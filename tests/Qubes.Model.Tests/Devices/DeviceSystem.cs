using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Protocol.Devices;
using Qubes.Testing;

namespace Qubes.Model.Tests.Devices;

/// <summary>A system with running qubes and a class of devices in memory.</summary>
internal sealed class DeviceSystem
{
    public const string Class = "testclass";

    public DeviceSystem()
    {
        Backend = Run("sys-usb");
        Work = Run("work");
        System.App.Devices.Register(Source);
        System.App.Devices.Failed = (what, failure) => Failures.Add($"{what}: {failure.Message}");
        System.Seen.Clear();
    }

    public TestSystem System { get; } = new();

    public MemoryDeviceSource Source { get; } = new(Class);

    public AppVM Backend { get; }

    public AppVM Work { get; }

    public List<string> Failures { get; } = [];

    public QubeDevices Devices => Work.DevicesOf(Class);

    public AppVM Run(string name)
    {
        AppVM qube = System.AppVM(name);
        qube.Runtime.State = PowerState.Running;
        return qube;
    }

    public static VirtualDevice Device(string port, string id = "*") => new(new DevicePort(Class, "sys-usb", port), id);

    public static DeviceAssignment Assignment(string port, string id = "*", string mode = AssignmentModes.AutoAttach, params KeyValuePair<string, string>[] options) =>
        DeviceAssignment.Of(new AssignmentRequest(Device(port, id), mode, options));

    public Task AnnounceAsync() => System.App.Devices.AnnounceAsync(Source, Backend);
}
