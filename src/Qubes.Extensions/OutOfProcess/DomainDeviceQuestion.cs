using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Lifecycle.DomainXml;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>Asks an extension which devices a domain that is about to be launched has beside the daemon's.</summary>
internal static class DomainDeviceQuestion
{
    private const int MaxDevices = 16;

    // "domain.devices": {"qube": NAME, "xml": TEXT} → {"devices": [TEXT, …]}, each one element

    /// <exception cref="QubesException">It refuses, or what it answers cannot be used: without its devices the qube would be another one.</exception>
    /// <exception cref="ExtensionGoneException">It does not answer.</exception>
    public static async Task<IReadOnlyList<ExtraDevice>> AskAsync(ExtensionSession session, string qube, string xml)
    {
        RpcMessage answer = await session.AskAsync("domain.devices", writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("qube", qube);
            writer.WriteString("xml", xml);
            writer.WriteEndObject();
        }, session.Definition.Deadline);
        if (answer.Kind == RpcKind.Error)
        {
            throw QubesErrors.VM(Refusal.Text(answer.ErrorText));
        }

        try
        {
            return [.. new RpcParams(answer.Content).Texts("devices", MaxDevices, ExtraDevice.MaxLength).Select(ExtraDevice.Parse)];
        }
        catch (Exception e) when (e is RpcException or DomainXmlException)
        {
            throw QubesErrors.VM($"Extension '{session.Definition.Name}' gave devices that cannot be used: {Refusal.Text(e.Message)}");
        }
    }
}
