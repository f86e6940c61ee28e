using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Features;
using Qubes.Model.Properties;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.OutOfProcess.Calls;

/// <summary>Reads the model. Changing it is the Admin API's.</summary>
internal static class ModelCalls
{
    /// <summary>The qube a request is about.</summary>
    public static Qube QubeOf(QubesApp app, RpcParams parameters) => app.Domains.Find(parameters.Text("qube"));

    /// <inheritdoc cref="QubeOf"/>
    public static LocalQube LocalQubeOf(QubesApp app, RpcParams parameters) => QubeOf(app, parameters) as LocalQube
        ?? throw QubesErrors.General($"'{parameters.Text("qube")}' is not a qube of this host");

    // {} → [{"name", "class", "state", "uuid", "label"}, …], dom0 first, then by name

    public static Action<Utf8JsonWriter> Qubes(QubesApp app) => writer =>
    {
        writer.WriteStartArray();
        foreach (Qube qube in app.Domains)
        {
            writer.WriteStartObject();
            WriteIdentity(writer, qube);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    };

    // {"qube": NAME} → the same with "template", "netvm", "properties": {NAME: {"value", "type", "default"}}, "features": {}, "tags": []

    public static Action<Utf8JsonWriter> Get(QubesApp app, RpcParams parameters)
    {
        Qube qube = QubeOf(app, parameters);
        return writer =>
        {
            writer.WriteStartObject();
            WriteIdentity(writer, qube);
            WriteText(writer, "template", qube.Template?.Name.Value);
            WriteText(writer, "netvm", qube.NetVM?.Name.Value);
            writer.WriteStartObject("properties");
            foreach (PropertyDefinition property in qube.Properties.InListOrder)
            {
                writer.WritePropertyName(property.Name);
                WriteReading(writer, property.Read(qube));
            }

            writer.WriteEndObject();
            writer.WriteStartObject("features");
            foreach ((string name, string value) in qube.Features.All)
            {
                writer.WriteString(name, value);
            }

            writer.WriteEndObject();
            writer.WriteStartArray("tags");
            foreach (string tag in qube.Tags.All)
            {
                writer.WriteStringValue(tag);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        };
    }

    // {"qube": NAME, "feature": NAME, "lookup": "own"|"template"|"netvm"|"adminvm"|"template-adminvm"} → text or null

    public static Action<Utf8JsonWriter>? Feature(QubesApp app, RpcParams parameters)
    {
        QubeFeatures features = QubeOf(app, parameters).Features;
        string name = parameters.Text("feature");
        string? value = parameters.OptionalText("lookup") switch
        {
            null or "own" => features.Get(name),
            "template" => features.CheckWithTemplate(name),
            "netvm" => features.CheckWithNetVM(name),
            "adminvm" => features.CheckWithAdminVM(name),
            "template-adminvm" => features.CheckWithTemplateAndAdminVM(name),
            _ => throw RpcException.InvalidParams("'lookup' must be own, template, netvm, adminvm or template-adminvm"),
        };
        return value is null ? null : writer => writer.WriteStringValue(value);
    }

    // {"qube": NAME, "property": NAME} → {"value": TEXT|null, "type": WORD, "default": BOOL}; without a qube: a global property

    public static Action<Utf8JsonWriter> Property(QubesApp app, RpcParams parameters)
    {
        PropertyHolder holder = parameters.Has("qube") ? QubeOf(app, parameters) : app;
        string name = parameters.Text("property");
        return holder.Properties.TryFind(name, out PropertyDefinition? property)
            ? writer => WriteReading(writer, property.Read(holder))
            : throw QubesErrors.NoSuchProperty(holder.HolderText, name);
    }

    private static void WriteIdentity(Utf8JsonWriter writer, Qube qube)
    {
        writer.WriteString("name", qube.Name.Value);
        writer.WriteString("class", qube.Klass);
        writer.WriteString("state", qube.PowerState.ToString());
        writer.WriteString("uuid", qube.Uuid.ToString());
        WriteText(writer, "label", qube.Label?.Name.ToString());
    }

    private static void WriteReading(Utf8JsonWriter writer, PropertyReading reading)
    {
        writer.WriteStartObject();
        WriteText(writer, "value", reading.HasValue ? reading.Text : null);
        writer.WriteString("type", reading.TypeWord);
        writer.WriteBoolean("default", reading.IsDefault);
        writer.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter writer, string name, string? text)
    {
        if (text is null)
        {
            writer.WriteNull(name);
        }
        else
        {
            writer.WriteString(name, text);
        }
    }
}
