using System.Text.Json;
using System.Text.Unicode;

namespace Qubes.Extensions.OutOfProcess.Rpc;

/// <summary>One message of an extension, taken apart and checked for form; what it asks for is still untrusted.</summary>
public sealed class RpcMessage
{
    /// <summary>Objects and arrays inside each other.</summary>
    public const int MaxDepth = 32;

    private const int MaxMethodLength = 64;
    private const int MaxIdLength = 64;
    private const int MaxErrorTextLength = 2048;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    private RpcMessage(RpcKind kind) => Kind = kind;

    public RpcKind Kind { get; }

    /// <summary>The id as it stood in the message, a JSON number or string; null for a notification.</summary>
    public string? Id { get; private init; }

    /// <summary>Of a request or notification.</summary>
    public string Method { get; private init; } = "";

    /// <summary><c>params</c>, <c>result</c> or the error's <c>data</c>; undefined if there is none.</summary>
    public JsonElement Content { get; private init; }

    public int ErrorCode { get; private init; }

    public string ErrorText { get; private init; } = "";

    // {"jsonrpc":"2.0","method":TEXT[,"params":{…}][,"id":NUMBER|TEXT]}
    // {"jsonrpc":"2.0","result":ANY,"id":NUMBER|TEXT}
    // {"jsonrpc":"2.0","error":{"code":NUMBER,"message":TEXT[,"data":{…}]},"id":NUMBER|TEXT|null}
    // Batches (arrays) and positional params are not taken. Unknown members are ignored.

    /// <summary>Takes one line without its end.</summary>
    /// <exception cref="RpcFormatException">It is anything else.</exception>
    public static RpcMessage Parse(ReadOnlyMemory<byte> untrustedLine)
    {
        if (!Utf8.IsValid(untrustedLine.Span))
        {
            throw new RpcFormatException("not UTF-8");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(untrustedLine, Strict);
            return Take(document.RootElement);
        }
        catch (JsonException)
        {
            throw new RpcFormatException("not JSON");
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate written as an escape: valid JSON, but no text.
            throw new RpcFormatException("text that is not Unicode");
        }
    }

    private static RpcMessage Take(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new RpcFormatException("not a JSON object");
        }

        if (!root.TryGetProperty("jsonrpc", out JsonElement version) || version.ValueKind != JsonValueKind.String || !version.ValueEquals("2.0"))
        {
            throw new RpcFormatException("not JSON-RPC 2.0");
        }

        string? id = root.TryGetProperty("id", out JsonElement identifier) ? TakeId(identifier) : null;
        if (root.TryGetProperty("method", out JsonElement method))
        {
            return TakeCall(root, method, id);
        }

        if (root.TryGetProperty("error", out JsonElement error))
        {
            return TakeError(error, id);
        }

        return root.TryGetProperty("result", out JsonElement result) && id is not null
            ? new RpcMessage(RpcKind.Result) { Id = id, Content = result.Clone() }
            : throw new RpcFormatException("neither method, result nor error");
    }

    private static string? TakeId(JsonElement id)
    {
        if (id.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        string text = id.ValueKind is JsonValueKind.Number or JsonValueKind.String
            ? id.GetRawText() : throw new RpcFormatException("an id must be a number or a text");
        return text.Length <= MaxIdLength ? text : throw new RpcFormatException("an id is too long");
    }

    private static RpcMessage TakeCall(JsonElement root, JsonElement method, string? id)
    {
        string? name = method.ValueKind == JsonValueKind.String ? method.GetString() : null;
        if (name is not { Length: > 0 and <= MaxMethodLength })
        {
            throw new RpcFormatException("no method's name");
        }

        bool hasParameters = root.TryGetProperty("params", out JsonElement parameters);
        return hasParameters && parameters.ValueKind != JsonValueKind.Object
            ? throw new RpcFormatException("params must be an object")
            : new RpcMessage(id is null ? RpcKind.Notification : RpcKind.Request)
            {
                Id = id, Method = name, Content = hasParameters ? parameters.Clone() : default,
            };
    }

    private static RpcMessage TakeError(JsonElement error, string? id)
    {
        if (error.ValueKind != JsonValueKind.Object
            || !error.TryGetProperty("code", out JsonElement code) || code.ValueKind != JsonValueKind.Number || !code.TryGetInt32(out int number)
            || !error.TryGetProperty("message", out JsonElement message) || message.ValueKind != JsonValueKind.String)
        {
            throw new RpcFormatException("an error must have a code and a message");
        }

        string text = message.GetString()!;
        return new RpcMessage(RpcKind.Error)
        {
            Id = id,
            ErrorCode = number,
            ErrorText = text.Length <= MaxErrorTextLength ? text : text[..MaxErrorTextLength],
            Content = error.TryGetProperty("data", out JsonElement data) ? data.Clone() : default,
        };
    }
}
