using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Model;
using Qubes.Model.Events;

namespace Qubes.Extensions.OutOfProcess.Calls;

/// <summary>Events an extension makes up itself.</summary>
internal static class EventCalls
{
    private const int MaxNameLength = 128;
    private const int MaxArguments = 16;

    // {"subject": NAME (empty or missing: the application), "event": "ext-…", "arguments": {KEY: TEXT, …}, "wait": BOOL} → null
    // With "wait" extensions that want to be asked are, and a refusal is the error.

    public static async Task<Action<Utf8JsonWriter>?> FireAsync(QubesApp app, RpcParams parameters)
    {
        string name = parameters.Text("event", MaxNameLength);
        if (!name.StartsWith(EventHandlers.ForeignPrefix, StringComparison.Ordinal) || name.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw RpcException.InvalidParams($"an extension's event has a printable ASCII name that begins with '{EventHandlers.ForeignPrefix}'");
        }

        EventSubject subject = parameters.OptionalText("subject") is { Length: > 0 } qube ? app.Domains[qube] : app;
        (string, object?)[] arguments = [.. parameters.TextMap("arguments", MaxArguments, maxLength: 4096).Select(a => (Key(a.Key), (object?)a.Value))];
        if (parameters.Flag("wait"))
        {
            await subject.FireAsync(name, EventArguments.Of(arguments));
        }
        else
        {
            subject.Fire(name, EventArguments.Of(arguments));
        }

        return null;
    }

    // Clients pass keywords as named parameters; an empty one would end the message.
    private static string Key(string untrustedKey) =>
        untrustedKey.Length is > 0 and <= 64 && untrustedKey.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
            ? untrustedKey : throw RpcException.InvalidParams("an argument's name is ASCII letters, digits and '_'");
}
