using System.Text;
using Qubes.Admin.Calls;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Handlers;

/// <summary><c>admin.vm.device.denied.*</c>: interfaces of devices that nobody shall attach to a qube.</summary>
internal static class DeniedInterfaceHandlers
{
    private const string Everything = "all";

    public static void List(AdminCall call)
    {
        call.Permit();
        call.Write(string.Join('\n', Denied(DeviceHandlers.Local(call)).Select(i => i.Code)));
    }

    public static ValueTask AddAsync(AdminCall call)
    {
        IReadOnlyList<DeviceInterface> interfaces = ReadInterfaces(call);
        call.Permit(("interfaces", interfaces));
        return SetAsync(call, Denied(DeviceHandlers.Local(call)).Union(interfaces));
    }

    public static ValueTask RemoveAsync(AdminCall call)
    {
        if (call.UntrustedPayload.AsSpan().SequenceEqual("all"u8))
        {
            call.Permit(("interfaces", Everything));
            return SetAsync(call, []);
        }

        IReadOnlyList<DeviceInterface> interfaces = ReadInterfaces(call);
        call.Permit(("interfaces", interfaces));
        return SetAsync(call, Denied(DeviceHandlers.Local(call)).Except(interfaces));
    }

    internal static IReadOnlyList<DeviceInterface> Denied(LocalQube qube) =>
        DeviceInterface.ParseList(LocalQubeProperties.DevicesDenied.Get(qube) ?? "");

    private static IReadOnlyList<DeviceInterface> ReadInterfaces(AdminCall call)
    {
        if (!Ascii.IsValid(call.UntrustedPayload))
        {
            throw QubesErrors.Protocol("Device interface contains non-ASCII characters");
        }

        IReadOnlyList<DeviceInterface> interfaces = DeviceInterface.ParseList(Encoding.ASCII.GetString(call.UntrustedPayload));
        return interfaces.Distinct().Count() == interfaces.Count
            ? interfaces
            : throw QubesErrors.Protocol("Duplicated device interfaces in payload.");
    }

    private static async ValueTask SetAsync(AdminCall call, IEnumerable<DeviceInterface> interfaces)
    {
        LocalQube qube = DeviceHandlers.Local(call);
        string codes = string.Concat(interfaces.Select(i => i.Code).Order(StringComparer.Ordinal));
        if (codes == (LocalQubeProperties.DevicesDenied.Get(qube) ?? ""))
        {
            return;
        }

        using ModelChange change = call.BeginChange();
        LocalQubeProperties.DevicesDenied.Set(qube, codes);
        await call.CommitAsync(change);
    }
}
