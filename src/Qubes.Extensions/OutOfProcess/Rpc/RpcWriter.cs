using System.Buffers;
using System.Text.Json;

namespace Qubes.Extensions.OutOfProcess.Rpc;

/// <summary>Writes our messages, each a line.</summary>
public static class RpcWriter
{
    public static byte[] Request(long id, string method, Action<Utf8JsonWriter>? parameters) => Line(writer =>
    {
        writer.WriteNumber("id", id);
        writer.WriteString("method", method);
        Member(writer, "params", parameters);
    });

    public static byte[] Notification(string method, Action<Utf8JsonWriter>? parameters) => Line(writer =>
    {
        writer.WriteString("method", method);
        Member(writer, "params", parameters);
    });

    /// <param name="id">The request's id as it was written.</param>
    /// <param name="result">Writes one value; null: null.</param>
    public static byte[] Result(string id, Action<Utf8JsonWriter>? result) => Line(writer =>
    {
        writer.WritePropertyName("id");
        writer.WriteRawValue(id);
        writer.WritePropertyName("result");
        if (result is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            result(writer);
        }
    });

    public static byte[] Error(string id, RpcException error) => Line(writer =>
    {
        writer.WritePropertyName("id");
        writer.WriteRawValue(id);
        writer.WriteStartObject("error");
        writer.WriteNumber("code", error.Code);
        writer.WriteString("message", error.Message);
        if (error.Type is not null)
        {
            writer.WriteStartObject("data");
            writer.WriteString("type", error.Type);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    });

    private static void Member(Utf8JsonWriter writer, string name, Action<Utf8JsonWriter>? value)
    {
        if (value is not null)
        {
            writer.WritePropertyName(name);
            value(writer);
        }
    }

    private static byte[] Line(Action<Utf8JsonWriter> members)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("jsonrpc", "2.0");
            members(writer);
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }
}
