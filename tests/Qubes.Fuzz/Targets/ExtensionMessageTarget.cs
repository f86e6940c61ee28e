using System.Text.Json;
using Qubes.Extensions.OutOfProcess;
using Qubes.Extensions.OutOfProcess.Rpc;

namespace Qubes.Fuzz.Targets;

/// <summary>What an extension writes: it is a message or it is refused, and reading its members only ever fails as a bad request.</summary>
internal sealed class ExtensionMessageTarget : IFuzzTarget
{
    public string Name => "extension-message";

    public IEnumerable<byte[]> Seeds =>
    [
        """{"jsonrpc":"2.0","id":1,"method":"qube.get","params":{"qube":"work"}}"""u8.ToArray(),
        """{"jsonrpc":"2.0","id":"a","result":{"protocol":1,"subscriptions":[{"event":"domain-pre-start","mode":"call"}],"device_classes":["lamp"]}}"""u8.ToArray(),
        """{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no","data":{"type":"QubesVMError"}}}"""u8.ToArray(),
        """{"jsonrpc":"2.0","method":"x","params":{"rules":[{"event":"property-pre-set:*","when":{"newvalue":"9*"},"deny":"\ud83d\ude00"}]}}"""u8.ToArray(),
        """{"jsonrpc":"2.0","id":2,"method":"devices.set","params":{"devices":[{"port":"a","interfaces":["b******"],"data":{"k":"v"}}]}}"""u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        RpcMessage message;
        try
        {
            message = RpcMessage.Parse(input.ToArray());
        }
        catch (RpcFormatException)
        {
            return;
        }

        if (message.Kind is RpcKind.Request or RpcKind.Result && message.Id is null)
        {
            throw new InvalidOperationException("a message without an id that needs one");
        }

        RpcParams parameters = new(message.Content);
        Try(() => parameters.OptionalText("qube"));
        Try(() => parameters.Flag("flag"));
        Try(() => parameters.Number("protocol", 0, 0, 10));
        Try(() => parameters.Texts("device_classes", 4));
        Try(() => parameters.TextMap("data", 4));
        Try(() => parameters.Objects("subscriptions", 16).Select(Subscription.Parse).ToArray());
        Try(() => parameters.Objects("rules", 16).Select(VetoRule.Parse).ToArray());
        Try(() => Refusal.Of(Refusal.TypeOf(parameters.OptionalText("type"), "domain-start"), Refusal.Text(message.ErrorText)));
        if (message.Id is { } id)
        {
            // An id is sent back as it came: the answer must be JSON all the same.
            using JsonDocument answer = JsonDocument.Parse(RpcWriter.Result(id, result: null));
        }
    }

    private static void Try<T>(Func<T> read)
    {
        try
        {
            _ = read();
        }
        catch (RpcException)
        {
            // A bad request, answered as such.
        }
    }
}
