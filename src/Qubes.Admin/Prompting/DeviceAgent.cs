using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Policy.Prompting;
using Qubes.Protocol.Agents;
using Qubes.Protocol.Devices;

namespace Qubes.Admin.Prompting;

/// <summary>
/// Asks which qube shall get a device: the agent <c>device-agent.GUI</c>, where the windows of all candidates are shown, or in dom0 if
/// they are shown in different places. Belongs to the model loop.
/// </summary>
public sealed class DeviceAgent : IAttachmentPrompt
{
    // A backend that makes devices come and go may not cover the screen.
    private const int MaxPromptsPerBackend = 8;
    private const string Dom0 = "dom0";

    private readonly QubesApp _app;
    private readonly ISessionAgent _agent;
    private readonly ILogger _log;
    private readonly List<(DevicePort Port, CancellationTokenSource Withdrawal)> _open = [];

    /// <param name="app">Whose qubes; questions about devices that are removed are withdrawn.</param>
    /// <param name="agent">Reaches the person.</param>
    /// <param name="log">Why nobody could be asked.</param>
    public DeviceAgent(QubesApp app, ISessionAgent agent, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(app);
        _app = app;
        _agent = agent;
        _log = log;
        app.Events.On(EmitterClass.LocalVM, "device-removed:*", removed => Withdraw(removed.Arguments["port"] as DevicePort));
    }

    /// <summary>How long a question may stay unanswered.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public async Task<LocalQube?> AskAsync(DeviceInfo device, IReadOnlyList<LocalQube> candidates)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(candidates);
        if (_open.Count(o => o.Port.Backend == device.Port.Backend) >= MaxPromptsPerBackend)
        {
            CannotAsk(device, "too many questions are open");
            return null;
        }

        using CancellationTokenSource withdrawal = new(Timeout);
        (DevicePort, CancellationTokenSource) open = (device.Port, withdrawal);
        _open.Add(open);
        try
        {
            string answer = await _agent.CallAsync(GuiQubeOf(candidates), AgentRequest.DeviceService, Question(device, candidates), withdrawal.Token);
            return candidates.FirstOrDefault(c => answer == AgentQuestion.Consent(c.Name));
        }
        catch (Exception e)
        {
            CannotAsk(device, withdrawal.IsCancellationRequested ? "nobody answered in time, or the device is gone" : e.Message);
            return null;
        }
        finally
        {
            _open.Remove(open);
        }
    }

    private static string GuiQubeOf(IReadOnlyList<LocalQube> candidates)
    {
        string[] guis = [.. candidates.Select(c => (c as QubesVM)?.GuiVM?.Name.Value ?? Dom0).Distinct(StringComparer.Ordinal)];
        return guis is [string only] ? only : Dom0;
    }

    // {"source", "device_name", "argument": PORT, "targets", "default_target": NAME or "", "icons": {NAME or "@dispvm:NAME": ICON}}
    private string Question(DeviceInfo device, IReadOnlyList<LocalQube> candidates)
    {
        ArrayBufferWriter<byte> text = new();
        using (Utf8JsonWriter json = new(text))
        {
            json.WriteStartObject();
            json.WriteString("source", device.Port.Backend);
            json.WriteString("device_name", device.Description);
            json.WriteString("argument", device.Port.PortId);
            json.WriteStartArray("targets");
            foreach (LocalQube candidate in candidates)
            {
                json.WriteStringValue(candidate.Name);
            }

            json.WriteEndArray();
            json.WriteString("default_target", candidates is [LocalQube only] ? only.Name.Value : "");
            json.WriteStartObject("icons");
            foreach (LocalQube qube in _app.Domains.OfType<LocalQube>())
            {
                json.WriteString(qube is DispVM ? "@dispvm:" + qube.Name : qube.Name.Value, qube.Icon);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.ASCII.GetString(text.WrittenSpan);
    }

    private void Withdraw(DevicePort? port)
    {
        foreach ((DevicePort asked, CancellationTokenSource withdrawal) in _open.Where(o => o.Port == port).ToArray())
        {
            withdrawal.Cancel();
        }
    }

    private void CannotAsk(DeviceInfo device, string reason) => _log.LogError(
        "Nobody could be asked who shall get {Class} device {Device}: {Reason}", device.Port.DeviceClass, device.Port, LogText.Escape(reason));
}
