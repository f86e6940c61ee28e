using System.Text.Json;
using Microsoft.Extensions.Logging;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Linux;

namespace Qubes.Extensions.OutOfProcess.Calls;

/// <summary>Writes to the daemon's log.</summary>
internal static class LogCalls
{
    // {"text": TEXT, "level": "info"|"warning"|"error", "qube": NAME} → null; the qube, if any, stands in front of the text

    public static Action<Utf8JsonWriter>? Write(ExtensionSession session, ExtensionEnvironment environment, RpcParams parameters)
    {
        LogLevel level = parameters.OptionalText("level") switch
        {
            null or "info" => LogLevel.Information,
            "warning" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => throw RpcException.InvalidParams("'level' must be info, warning or error"),
        };
        string about = parameters.Has("qube") ? ModelCalls.QubeOf(environment.App, parameters).Name + ": " : "";
        session.Log.Log(level, "{About}{Text}", about, LogText.Escape(parameters.Text("text", maxLength: 4096)));
        return null;
    }
}
