using System.Collections.Frozen;
using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;

namespace Qubes.Extensions.OutOfProcess.Calls;

/// <summary>What extensions may ask of the daemon. A handler runs on the model loop and returns what writes the result; null: null.</summary>
internal static class ExtensionCalls
{
    private delegate Task<Action<Utf8JsonWriter>?> Handler(ExtensionSession session, ExtensionEnvironment environment, RpcParams parameters);

    private static readonly FrozenDictionary<string, Handler> Table = new Dictionary<string, Handler>(StringComparer.Ordinal)
    {
        ["app.qubes"] = Now((_, environment, _) => ModelCalls.Qubes(environment.App)),
        ["qube.get"] = Now((_, environment, parameters) => ModelCalls.Get(environment.App, parameters)),
        ["qube.feature"] = Now((_, environment, parameters) => ModelCalls.Feature(environment.App, parameters)),
        ["property.get"] = Now((_, environment, parameters) => ModelCalls.Property(environment.App, parameters)),
        ["event.fire"] = (_, environment, parameters) => EventCalls.FireAsync(environment.App, parameters),
        ["subscribe"] = Now((session, _, parameters) =>
        {
            session.Subscribe(parameters);
            return null;
        }),
        ["rules.set"] = Now((session, _, parameters) =>
        {
            session.Registrations.SetRules(parameters.Objects("rules", maxCount: 256));
            return null;
        }),
        ["devices.set"] = Now((session, environment, parameters) => DeviceCalls.Set(session, environment.App, parameters)),
        ["qubesdb.read"] = (_, environment, parameters) => QubesDbCalls.ReadAsync(environment.App, parameters),
        ["qubesdb.list"] = (_, environment, parameters) => QubesDbCalls.ListAsync(environment.App, parameters),
        ["qubesdb.write"] = (_, environment, parameters) => QubesDbCalls.WriteAsync(environment.App, parameters),
        ["qubesdb.remove"] = (_, environment, parameters) => QubesDbCalls.RemoveAsync(environment.App, parameters),
        ["qubesdb.watch"] = Now((session, environment, parameters) => QubesDbCalls.Watch(session, environment.App, parameters)),
        ["qubesdb.unwatch"] = Now((session, environment, parameters) => QubesDbCalls.Unwatch(session, environment.App, parameters)),
        ["service.run"] = ServiceCalls.RunAsync,
        ["admin.call"] = AdminCalls.CallAsync,
        ["policy.evaluate"] = (_, environment, parameters) => PolicyCalls.EvaluateAsync(environment, parameters),
        ["policy.set"] = (session, _, parameters) => PolicyCalls.SetAsync(session, parameters),
        ["domain.get"] = (_, environment, parameters) => DomainCalls.GetAsync(environment, parameters),
        ["log"] = Now(LogCalls.Write),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>By name, for the documentation's test.</summary>
    public static IEnumerable<string> Names => Table.Keys;

    public static Task<Action<Utf8JsonWriter>?> InvokeAsync(
        ExtensionSession session, ExtensionEnvironment environment, string method, RpcParams parameters) =>
        Table.TryGetValue(method, out Handler? handler)
            ? handler(session, environment, parameters)
            : throw new RpcException(RpcErrorCode.MethodNotFound, "no such method");

    private static Handler Now(Func<ExtensionSession, ExtensionEnvironment, RpcParams, Action<Utf8JsonWriter>?> handler) =>
        (session, environment, parameters) => Task.FromResult(handler(session, environment, parameters));
}
