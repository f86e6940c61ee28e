namespace Qubes.Client.Transport;

/// <summary>Calls from inside a qube: each runs <c>qrexec-client-vm DEST METHOD+ARG</c> with the payload on its standard input.</summary>
/// <param name="program">Path of <c>qrexec-client-vm</c>.</param>
public sealed class QrexecTransport(string program = "/usr/bin/qrexec-client-vm") : IAdminTransport
{
    private static readonly Dictionary<string, string?> NoEnvironment = [];

    public bool IsLocal => false;

    public ValueTask<ReadOnlyMemory<byte>> SendAsync(AdminCall call, CancellationToken cancellation = default) =>
        SendStreamAsync(call, Stream.Null, cancellation);

    public ValueTask<Stream> OpenAsync(AdminCall call, CancellationToken cancellation = default) =>
        ChildCall.OpenAsync(program, [call.Destination, Service(call)], NoEnvironment, call.Payload, cancellation);

    public async ValueTask<ReadOnlyMemory<byte>> SendStreamAsync(AdminCall call, Stream data, CancellationToken cancellation = default) =>
        await ChildCall.RunAsync(program, [call.Destination, Service(call)], NoEnvironment, call.Payload, data, cancellation);

    private static string Service(AdminCall call) => call.Argument.Length == 0 ? call.Method : $"{call.Method}+{call.Argument}";
}
