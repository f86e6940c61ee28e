using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Policy;
using Qubes.Extensions.OutOfProcess.Rpc;

namespace Qubes.Extensions.OutOfProcess.Calls;

/// <summary>Asks the policy, and adds to it for as long as the extension runs.</summary>
internal static class PolicyCalls
{
    // {"source": QUBE, "target": TARGET, "service": NAME, "argument": TEXT}
    //   → {"decision": "allow"|"ask"|"deny", "reason": TEXT, "file": PATH|null, "line": NUMBER|null, "target": TEXT|null, "targets": [TEXT, …],
    //      "default_target": TEXT|null, "user": TEXT|null}
    // Nobody is asked and nothing started. A missing target is none, which rules know as @default.

    public static async Task<Action<Utf8JsonWriter>?> EvaluateAsync(ExtensionEnvironment environment, RpcParams parameters)
    {
        string source = parameters.Text("source");
        string service = parameters.Text("service");
        string argument = parameters.OptionalText("argument") ?? "";
        if (service.Length == 0 || !service.All(IsServiceCharacter) || !argument.All(c => IsServiceCharacter(c) || c == '+'))
        {
            throw RpcException.InvalidParams("a service's name and argument are ASCII letters, digits and '._-'");
        }

        // A source that is not there would be decided like any name that no rule knows.
        _ = environment.App.Domains.Find(source);
        IPolicyAdviser policy = environment.Policy ?? throw new RpcException(RpcErrorCode.InternalError, "there is no policy here");
        PolicyAdvice advice = await policy.DecideAsync(source, parameters.OptionalText("target") ?? "", $"{service}+{argument}");
        return writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("decision", advice.Decision);
            writer.WriteString("reason", advice.Reason);
            writer.WriteString("file", advice.File);
            writer.WritePropertyName("line");
            EventJson.WriteValue(writer, advice.Line);
            writer.WriteString("target", advice.Target);
            writer.WriteStartArray("targets");
            foreach (string target in advice.Targets)
            {
                writer.WriteStringValue(target);
            }

            writer.WriteEndArray();
            writer.WriteString("default_target", advice.DefaultTarget);
            writer.WriteString("user", advice.User);
            writer.WriteEndObject();
        };
    }

    // {"rules": TEXT} → null; replaces the former ones

    public static async Task<Action<Utf8JsonWriter>?> SetAsync(ExtensionSession session, RpcParams parameters)
    {
        await session.Policy.SetAsync(parameters.Text("rules", SessionPolicy.MaxLength));
        return null;
    }

    private static bool IsServiceCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-';
}
