using System.Text;
using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Model;
using Qubes.Protocol.QubesDb;

namespace Qubes.Extensions.OutOfProcess.Calls;

/// <summary>The QubesDB of qubes. What is read comes from the guest: the extension must not trust it.</summary>
internal static class QubesDbCalls
{
    // {"qube": NAME, "path": PATH} → text or null. Values are UTF-8; other bytes are replaced.

    public static async Task<Action<Utf8JsonWriter>?> ReadAsync(QubesApp app, RpcParams parameters)
    {
        byte[]? value = await ModelCalls.LocalQubeOf(app, parameters).QubesDb.ReadUntrustedAsync(parameters.Text("path"));
        return value is null ? null : writer => writer.WriteStringValue(Encoding.UTF8.GetString(value));
    }

    // {"qube": NAME, "path": PREFIX} → {PATH: text, …}

    public static async Task<Action<Utf8JsonWriter>?> ListAsync(QubesApp app, RpcParams parameters)
    {
        IReadOnlyList<QubesDbEntry> entries = await ModelCalls.LocalQubeOf(app, parameters).QubesDb.ReadAllUntrustedAsync(parameters.Text("path"));
        return writer =>
        {
            writer.WriteStartObject();
            foreach (QubesDbEntry entry in entries)
            {
                writer.WriteString(entry.Path, Encoding.UTF8.GetString(entry.Value));
            }

            writer.WriteEndObject();
        };
    }

    // {"qube": NAME, "path": PATH, "value": TEXT} → null; while the qube does not run, nothing is written

    public static async Task<Action<Utf8JsonWriter>?> WriteAsync(QubesApp app, RpcParams parameters)
    {
        var database = ModelCalls.LocalQubeOf(app, parameters).QubesDb;
        database.Write(parameters.Text("path"), parameters.Text("value", QubesDbEntry.MaxValueLength));
        await database.FlushAsync();
        return null;
    }

    // {"qube": NAME, "path": PATH} → null; with a final '/' all below it

    public static async Task<Action<Utf8JsonWriter>?> RemoveAsync(QubesApp app, RpcParams parameters)
    {
        var database = ModelCalls.LocalQubeOf(app, parameters).QubesDb;
        database.Remove(parameters.Text("path"));
        await database.FlushAsync();
        return null;
    }

    // {"qube": NAME, "path": PATH} → null; from then on changes fire domain-qdb-change:PATH on the qube

    public static Action<Utf8JsonWriter>? Watch(ExtensionSession session, QubesApp app, RpcParams parameters)
    {
        session.Registrations.Watch(ModelCalls.LocalQubeOf(app, parameters), parameters.Text("path"));
        return null;
    }

    public static Action<Utf8JsonWriter>? Unwatch(ExtensionSession session, QubesApp app, RpcParams parameters)
    {
        session.Registrations.Unwatch(ModelCalls.LocalQubeOf(app, parameters), parameters.Text("path"));
        return null;
    }
}
