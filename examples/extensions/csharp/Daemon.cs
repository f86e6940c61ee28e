using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Beacon;

/// <summary>
/// The conversation with qubesd: JSON-RPC 2.0, one JSON text a line, in both directions, on standard input and output. One thread;
/// copy it into an extension of your own.
/// </summary>
/// <param name="answer">Gets a method with its params and returns its result.</param>
internal sealed class Daemon(Func<string, JsonObject, JsonNode?> answer)
{
    private const int MethodNotFound = -32601;
    private const int Refused = 1;

    private static readonly StreamReader Input = new(Console.OpenStandardInput(), Encoding.UTF8);
    private readonly Stream _output = Console.OpenStandardOutput();
    private readonly Queue<JsonObject> _later = new();
    private long _lastId;

    /// <summary>Serves until the daemon closes our input.</summary>
    public void Run()
    {
        while ((_later.TryDequeue(out JsonObject? waiting) ? waiting : Receive()) is { } message)
        {
            Answer(message);
        }
    }

    /// <summary>
    /// Asks the daemon for something. Its questions are answered while waiting, or both would wait for each other; what it only
    /// tells is kept for later.
    /// </summary>
    public JsonNode? Call(string method, JsonObject parameters)
    {
        Send(new JsonObject { ["id"] = ++_lastId, ["method"] = method, ["params"] = parameters });
        while (Receive() is { } message)
        {
            if (!message.ContainsKey("method"))
            {
                return message["error"] is { } error ? throw new InvalidOperationException((string?)error["message"]) : message["result"];
            }

            if (message.ContainsKey("id"))
            {
                Answer(message);
            }
            else
            {
                _later.Enqueue(message);
            }
        }

        throw new EndOfStreamException("the daemon has gone");
    }

    private void Answer(JsonObject message)
    {
        JsonObject reply = [];
        try
        {
            reply["result"] = answer((string)message["method"]!, message["params"] as JsonObject ?? []);
        }
        catch (RefusedException e)
        {
            reply["error"] = new JsonObject { ["code"] = Refused, ["message"] = e.Message, ["data"] = new JsonObject { ["type"] = e.Type } };
        }
        catch (NotSupportedException e)
        {
            reply["error"] = new JsonObject { ["code"] = MethodNotFound, ["message"] = e.Message };
        }

        if (message["id"] is { } id)
        {
            reply["id"] = id.DeepClone();
            Send(reply);
        }
    }

    private static JsonObject? Receive() => Input.ReadLine() is { } line ? JsonNode.Parse(line)!.AsObject() : null;

    private void Send(JsonObject message)
    {
        message["jsonrpc"] = "2.0";
        using (Utf8JsonWriter writer = new(_output))
        {
            message.WriteTo(writer);
        }

        _output.Write("\n"u8);
        _output.Flush();
    }
}
