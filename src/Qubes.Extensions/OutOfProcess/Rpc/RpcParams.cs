using System.Text.Json;

namespace Qubes.Extensions.OutOfProcess.Rpc;

/// <summary>
/// The members of a <c>params</c> object, read with their types and limits checked. Members nobody asks for are ignored, so
/// that either side may be newer.
/// </summary>
public readonly struct RpcParams(JsonElement untrustedObject)
{
    private const int DefaultMaxLength = 1024;

    /// <summary>An empty object if there was none.</summary>
    public JsonElement Element => untrustedObject;

    public bool Has(string name) => TryFind(name, out _);

    public string Text(string name, int maxLength = DefaultMaxLength) =>
        OptionalText(name, maxLength) ?? throw RpcException.InvalidParams($"'{name}' is missing");

    public string? OptionalText(string name, int maxLength = DefaultMaxLength)
    {
        if (!TryFind(name, out JsonElement value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            throw RpcException.InvalidParams($"'{name}' must be a text");
        }

        return TextOf(value, name, maxLength);
    }

    public bool Flag(string name, bool fallback = false)
    {
        if (!TryFind(name, out JsonElement value))
        {
            return fallback;
        }

        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw RpcException.InvalidParams($"'{name}' must be true or false"),
        };
    }

    public int Number(string name, int fallback, int min, int max)
    {
        if (!TryFind(name, out JsonElement value))
        {
            return fallback;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= min && number <= max
            ? number
            : throw RpcException.InvalidParams($"'{name}' must be a number from {min} to {max}");
    }

    public long LongNumber(string name, long min, long max) =>
        !TryFind(name, out JsonElement value) ? throw RpcException.InvalidParams($"'{name}' is missing")
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= min && number <= max ? number
        : throw RpcException.InvalidParams($"'{name}' must be a number from {min} to {max}");

    /// <summary>The objects of a list; empty if it is missing.</summary>
    public IReadOnlyList<RpcParams> Objects(string name, int maxCount)
    {
        List<RpcParams> objects = [];
        foreach (JsonElement item in List(name, maxCount))
        {
            objects.Add(item.ValueKind == JsonValueKind.Object
                ? new RpcParams(item) : throw RpcException.InvalidParams($"'{name}' must be a list of objects"));
        }

        return objects;
    }

    /// <summary>The texts of a list; empty if it is missing.</summary>
    public IReadOnlyList<string> Texts(string name, int maxCount, int maxLength = DefaultMaxLength)
    {
        List<string> texts = [];
        foreach (JsonElement item in List(name, maxCount))
        {
            texts.Add(item.ValueKind == JsonValueKind.String
                ? TextOf(item, name, maxLength) : throw RpcException.InvalidParams($"'{name}' must be a list of texts"));
        }

        return texts;
    }

    /// <summary>The members of an object whose values are texts; empty if it is missing.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> TextMap(string name, int maxCount, int maxLength = DefaultMaxLength)
    {
        List<KeyValuePair<string, string>> map = [];
        if (!TryFind(name, out JsonElement value))
        {
            return map;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw RpcException.InvalidParams($"'{name}' must be an object of texts");
        }

        foreach (JsonProperty member in value.EnumerateObject())
        {
            if (map.Count == maxCount || member.Value.ValueKind != JsonValueKind.String)
            {
                throw RpcException.InvalidParams($"'{name}' must be an object of at most {maxCount} texts");
            }

            map.Add(new(NameOf(member, name), TextOf(member.Value, name, maxLength)));
        }

        return map;
    }

    internal bool TryFind(string name, out JsonElement value)
    {
        value = default;
        return untrustedObject.ValueKind == JsonValueKind.Object && untrustedObject.TryGetProperty(name, out value)
            && value.ValueKind != JsonValueKind.Null;
    }

    private static string TextOf(JsonElement value, string name, int maxLength)
    {
        string text;
        try
        {
            text = value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw RpcException.InvalidParams($"'{name}' is not Unicode text");
        }

        return text.Length > maxLength ? throw RpcException.InvalidParams($"'{name}' is longer than {maxLength} characters")
            : text.Contains('\0', StringComparison.Ordinal) ? throw RpcException.InvalidParams($"'{name}' has a NUL character")
            : text;
    }

    private static string NameOf(JsonProperty member, string name)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            throw RpcException.InvalidParams($"'{name}' has a member whose name is not Unicode text");
        }
    }

    private JsonElement.ArrayEnumerator List(string name, int maxCount)
    {
        if (!TryFind(name, out JsonElement value))
        {
            return default;
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > maxCount)
        {
            throw RpcException.InvalidParams($"'{name}' must be a list of at most {maxCount}");
        }

        return value.EnumerateArray();
    }
}
