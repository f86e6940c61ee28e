using System.Text.Json;
using Qubes.Model.Events;
using Qubes.Protocol.Events;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>An event as extensions see it.</summary>
internal static class EventJson
{
    // {"subject": NAME, "event": NAME, "pre": BOOL, "arguments": {KEY: VALUE, …}}
    // Values: null, booleans, numbers and texts as such; a map of texts as an object; everything else as its text in event streams.
    // An argument that is absent is missing, not null.

    public static void Write(Utf8JsonWriter writer, QubesEvent happened)
    {
        writer.WriteStartObject();
        writer.WriteString("subject", happened.Subject.SubjectText);
        writer.WriteString("event", happened.Name);
        writer.WriteBoolean("pre", happened.IsPre);
        writer.WriteStartObject("arguments");
        foreach ((string key, object? value) in happened.Arguments.Items)
        {
            writer.WritePropertyName(key);
            WriteValue(writer, value);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    public static void WriteValue(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case int number:
                writer.WriteNumberValue(number);
                break;
            case long number:
                writer.WriteNumberValue(number);
                break;
            case double number when double.IsFinite(number):
                writer.WriteNumberValue(number);
                break;
            case byte[] bytes:
                writer.WriteStringValue(System.Text.Encoding.Latin1.GetString(bytes));
                break;
            case IEnumerable<KeyValuePair<string, string>> map:
                writer.WriteStartObject();
                foreach ((string key, string item) in map)
                {
                    writer.WriteString(key, item);
                }

                writer.WriteEndObject();
                break;
            default:
                writer.WriteStringValue(EventValue.ToText(value));
                break;
        }
    }
}
