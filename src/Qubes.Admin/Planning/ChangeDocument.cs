using System.Globalization;
using System.Text.Json;
using Qubes.Model.Devices;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;
using static Qubes.Admin.Planning.ChangeJson;

namespace Qubes.Admin.Planning;

/// <summary>
/// A set of changes as one document:
/// <code>
/// { "revision": N,
///   "system": { "properties": { NAME: VALUE }, "labels": { NAME: COLOUR|null } },
///   "qubes": { QUBE: { "create": { "class": "", "label": "", "template": "", "pool": "" }  or  "remove": true,
///                      "properties": { NAME: VALUE }, "features": { NAME: VALUE }, "tags": { NAME: true|false },
///                      "devices": { CLASS: { DEVICE: { "mode": "", "options": { NAME: VALUE } }|null } },
///                      "firewall": ["RULE"*]|null, "notes": ""|null } } }
/// </code>
/// VALUE is a text, a number or a boolean, which stand for their text, or null for "not set". DEVICE is <c>BACKEND:PORT</c> or
/// <c>BACKEND:PORT:DEVICEID</c>. Every member is optional but the mode; the order of members means nothing. Only the form is checked here.
/// </summary>
internal sealed class ChangeDocument
{
    private const int MaxDepth = 8;

    private readonly List<ChangeStep> _steps = [];

    private ChangeDocument()
    {
    }

    /// <summary>The revision of the state the author knew; null if the document does not say.</summary>
    public long? Revision { get; private set; }

    public IReadOnlyList<ChangeStep> Steps => _steps;

    /// <exception cref="QubesException"><c>ProtocolError</c>, beginning with the place.</exception>
    public static ChangeDocument Parse(ReadOnlyMemory<byte> untrustedJson)
    {
        ChangeDocument document = new();
        try
        {
            using JsonDocument json = JsonDocument.Parse(untrustedJson, new JsonDocumentOptions { MaxDepth = MaxDepth });
            foreach ((string place, JsonProperty member) in Members("", json.RootElement))
            {
                document.Take(place, member);
            }
        }
        catch (JsonException e)
        {
            throw QubesErrors.Protocol(string.Create(CultureInfo.InvariantCulture,
                $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: not a JSON document, or nested too deeply"));
        }

        return document;
    }

    private void Take(string place, JsonProperty member)
    {
        switch (member.Name)
        {
            case "revision":
                Revision = member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetInt64(out long revision) && revision >= 0
                    ? revision
                    : throw Wrong(place, "expected a revision number");
                break;
            case "system":
                foreach ((string at, JsonProperty part) in Members(place, member.Value))
                {
                    TakeSystem(at, part);
                }

                break;
            case "qubes":
                foreach ((string at, JsonProperty qube) in Members(place, member.Value))
                {
                    TakeQube(at, qube.Name, qube.Value);
                }

                break;
            default:
                throw Wrong(place, "unknown member, expected revision, system or qubes");
        }
    }

    private void TakeSystem(string place, JsonProperty part)
    {
        switch (part.Name)
        {
            case "properties":
                TakeProperties(place, "", part.Value);
                break;
            case "labels":
                foreach ((string at, JsonProperty label) in Members(place, part.Value))
                {
                    _steps.Add(new LabelStep(at, label.Name, TextOrNull(at, label.Value)));
                }

                break;
            default:
                throw Wrong(place, "unknown member, expected properties or labels");
        }
    }

    private void TakeQube(string place, string untrustedQube, JsonElement json)
    {
        if (untrustedQube.Length == 0)
        {
            throw Wrong(place, "expected the name of a qube");
        }

        bool creates = false;
        bool removes = false;
        int before = _steps.Count;
        foreach ((string at, JsonProperty member) in Members(place, json))
        {
            switch (member.Name)
            {
                case "create":
                    creates = true;
                    TakeCreate(at, untrustedQube, member.Value);
                    break;
                case "remove":
                    removes = Bool(at, member.Value) ? true : throw Wrong(at, "expected true");
                    _steps.Add(new RemoveStep(at, untrustedQube));
                    break;
                case "properties":
                    TakeProperties(at, untrustedQube, member.Value);
                    break;
                case "features":
                    foreach ((string feature, JsonProperty item) in Members(at, member.Value))
                    {
                        _steps.Add(new FeatureStep(feature, untrustedQube, item.Name, FeatureValue(feature, item.Value)));
                    }

                    break;
                case "tags":
                    foreach ((string tag, JsonProperty item) in Members(at, member.Value))
                    {
                        _steps.Add(new TagStep(tag, untrustedQube, item.Name, Bool(tag, item.Value)));
                    }

                    break;
                case "devices":
                    foreach ((string list, JsonProperty devices) in Members(at, member.Value))
                    {
                        TakeDevices(list, untrustedQube, devices);
                    }

                    break;
                case "firewall":
                    _steps.Add(new FirewallStep(at, untrustedQube, Rules(at, member.Value)));
                    break;
                case "notes":
                    _steps.Add(new NotesStep(at, untrustedQube, TextOrNull(at, member.Value)));
                    break;
                default:
                    throw Wrong(at, "unknown member, expected create, remove, properties, features, tags, devices, firewall or notes");
            }
        }

        if (removes && (creates || _steps.Count - before > 1))
        {
            throw Wrong(place, "a qube that is removed cannot be changed");
        }
    }

    private void TakeCreate(string place, string untrustedQube, JsonElement json)
    {
        Dictionary<string, string> texts = new(StringComparer.Ordinal);
        foreach ((string at, JsonProperty member) in Members(place, json))
        {
            if (member.Name is not ("class" or "label" or "template" or "pool"))
            {
                throw Wrong(at, "unknown member, expected class, label, template or pool");
            }

            texts[member.Name] = Text(at, member.Value);
        }

        _steps.Add(new CreateStep(
            place,
            untrustedQube,
            texts.GetValueOrDefault("class") ?? throw Wrong(place, "expected a class"),
            texts.GetValueOrDefault("template"),
            texts.GetValueOrDefault("label") ?? throw Wrong(place, "expected a label"),
            texts.GetValueOrDefault("pool")));
    }

    private static string[]? Rules(string place, JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (json.ValueKind != JsonValueKind.Array)
        {
            throw Wrong(place, "expected a list of rules or null");
        }

        string[] rules = [.. json.EnumerateArray().Select((rule, i) => Text($"{place}/{i.ToString(CultureInfo.InvariantCulture)}", rule))];
        return Array.Find(rules, rule => rule.Length == 0 || rule.Any(char.IsControl)) is null ? rules : throw Wrong(place, "a rule is one line");
    }

    private void TakeDevices(string place, string untrustedQube, JsonProperty devices)
    {
        if (!DeviceSources.IsClassName(devices.Name))
        {
            throw Wrong(place, "not the name of a device class");
        }

        foreach ((string at, JsonProperty item) in Members(place, devices.Value))
        {
            VirtualDevice device = Device(at, item.Name, devices.Name);
            if (item.Value.ValueKind == JsonValueKind.Null)
            {
                _steps.Add(new DeviceStep(at, untrustedQube, device, null, []));
                continue;
            }

            string? mode = null;
            List<KeyValuePair<string, string>> options = [];
            foreach ((string where, JsonProperty member) in Members(at, item.Value))
            {
                switch (member.Name)
                {
                    case "mode":
                        mode = Text(where, member.Value);
                        break;
                    case "options":
                        options.AddRange(Members(where, member.Value).Select(option => new KeyValuePair<string, string>(
                            option.Member.Name, Value(option.Place, option.Member.Value) ?? throw Wrong(option.Place, "expected a value"))));
                        break;
                    default:
                        throw Wrong(where, "unknown member, expected mode or options");
                }
            }

            _steps.Add(new DeviceStep(at, untrustedQube, device, mode ?? throw Wrong(at, "expected a mode"), options));
        }
    }

    private static VirtualDevice Device(string place, string untrustedText, string deviceClass)
    {
        try
        {
            if (VirtualDevice.TryParseText(untrustedText, deviceClass, out VirtualDevice? device))
            {
                return VirtualDevice.ParseArgument(device.ToArgument(), deviceClass);
            }
        }
        catch (ProtocolErrorException)
        {
            // What cannot be named in a call cannot be named here.
        }

        throw Wrong(place, "expected BACKEND:PORT or BACKEND:PORT:DEVICEID");
    }

    private void TakeProperties(string place, string untrustedQube, JsonElement json)
    {
        foreach ((string at, JsonProperty member) in Members(place, json))
        {
            _steps.Add(new PropertyStep(at, untrustedQube, member.Name, Value(at, member.Value)));
        }
    }
}
