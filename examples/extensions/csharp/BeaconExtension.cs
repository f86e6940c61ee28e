using System.Text.Json.Nodes;

namespace Beacon;

/// <summary>
/// A worked example of an extension, see docs/extensions.md. It publishes a device class with one device in dom0, refuses the start
/// of qubes that have the tag <c>locked</c>, and writes the label of a qube into a feature of it whenever the label is set.
/// </summary>
internal sealed class BeaconExtension
{
    private readonly string _deviceClass;
    private readonly Daemon _daemon;

    public BeaconExtension(string deviceClass)
    {
        _deviceClass = deviceClass;
        _daemon = new Daemon(Answer);
    }

    public void Run() => _daemon.Run();

    private JsonNode? Answer(string method, JsonObject parameters) => method switch
    {
        "initialize" => Initialize(),
        "event" => OnEvent(parameters),
        "device.attach" => new JsonObject
        {
            ["options"] = new JsonObject { ["brightness"] = (string?)parameters["options"]?["brightness"] ?? "50" },
        },
        "device.detach" or "shutdown" => null,
        _ => throw new NotSupportedException("no such method"),
    };

    private JsonObject Initialize() => new()
    {
        ["protocol"] = 1,
        ["device_classes"] = new JsonArray(_deviceClass),
        ["subscriptions"] = new JsonArray(
            new JsonObject { ["event"] = "domain-pre-start", ["mode"] = "call" },
            new JsonObject { ["event"] = "property-set:label" },
            new JsonObject { ["event"] = "connection-established" }),
    };

    private JsonNode? OnEvent(JsonObject happened)
    {
        string subject = (string)happened["subject"]!;
        switch ((string?)happened["event"])
        {
            case "connection-established":
                Publish();
                break;
            case "domain-pre-start" when IsLocked(subject):
                throw new RefusedException($"Qube {subject} is locked", "QubesVMError");
            case "property-set:label":
                _daemon.Call("admin.call", new JsonObject
                {
                    ["method"] = "admin.vm.feature.Set",
                    ["argument"] = _deviceClass + "-label",
                    ["destination"] = subject,
                    ["payload"] = (string)happened["arguments"]!["newvalue"]!,
                });
                break;
            default:
                break;
        }

        return null;
    }

    private bool IsLocked(string qube) =>
        _daemon.Call("qube.get", new JsonObject { ["qube"] = qube })!["tags"]!.AsArray().Any(tag => (string?)tag == "locked");

    /// <summary>The whole list of what one qube offers; the daemon finds out what is new.</summary>
    private void Publish() => _daemon.Call("devices.set", new JsonObject
    {
        ["class"] = _deviceClass,
        ["qube"] = "dom0",
        ["devices"] = new JsonArray(new JsonObject
        {
            ["port"] = "desk",
            ["device_id"] = "0001:0002:lamp",
            ["vendor"] = "Acme",
            ["product"] = "Desk lamp",
            ["interfaces"] = new JsonArray("l******"),
        }),
    });
}
