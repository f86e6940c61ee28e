using System.Net.Sockets;
using System.Text;
using Qubes.Linux;
using Qubes.Qrexec.IO;

namespace Qubes.Qrexec.Daemon;

/// <summary>Calls of the Admin API that qrexec itself makes, in the name of dom0: starting, creating and killing targets.</summary>
internal sealed class QubesdClient(string socketPath)
{
    private const int MaxReply = 65_534;

    /// <summary>
    /// Makes one call. <paramref name="destination"/> is a qube's name or <c>uuid:UUID</c>, or <c>@keyword</c>.
    /// </summary>
    /// <returns>The whole reply, which has at least two bytes and a NUL.</returns>
    /// <exception cref="CallFailedException">No daemon, or a reply that is none.</exception>
    public async Task<string> CallAsync(string method, string destination, string payload, CancellationToken cancellation)
    {
        string address = destination.StartsWith('@') ? "keyword " + destination[1..] : "name " + destination;
        byte[] request = Encoding.ASCII.GetBytes($"{method}+ dom0 {address}\0{payload}");
        try
        {
            using Socket socket = await UnixAddress.ConnectAsync(socketPath, cancellation);
            await socket.SendAllAsync(request, cancellation);
            socket.Shutdown(SocketShutdown.Send);
            byte[]? reply = await socket.ReceiveToEndAsync(MaxReply, cancellation);
            return reply is { Length: >= 2 } && reply.AsSpan().Contains((byte)0)
                ? Encoding.Latin1.GetString(reply)
                : throw new CallFailedException($"{method} for {destination}: no proper reply of qubesd");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw new CallFailedException($"{method} for {destination}: qubesd can not be reached", e);
        }
    }

    /// <summary>Starts a qube; one that runs already is fine.</summary>
    /// <exception cref="CallFailedException">It did not start.</exception>
    public async Task StartAsync(string destination, CancellationToken cancellation)
    {
        string reply = await CallAsync("admin.vm.Start", destination, "", cancellation);
        if (!reply.StartsWith("0\0", StringComparison.Ordinal) && !reply.StartsWith("2\0QubesVMNotHaltedError\0", StringComparison.Ordinal))
        {
            throw new CallFailedException($"{destination} can not be started: {LogText.Escape(reply)}");
        }
    }

    /// <summary>Makes a disposable of <paramref name="template"/> (a name, or <c>uuid:UUID</c>) and returns how to address it.</summary>
    /// <exception cref="CallFailedException">It was not created.</exception>
    public async Task<string> CreateDisposableAsync(string template, CancellationToken cancellation)
    {
        bool byUuid = template.StartsWith("uuid:", StringComparison.Ordinal);
        string reply = await CallAsync("admin.vm.CreateDisposable", template, byUuid ? "uuid" : "", cancellation);
        string name = reply.StartsWith("0\0", StringComparison.Ordinal) ? reply[2..] : "";
        return TargetName.IsProper(name) && (!byUuid || TargetName.IsUuid(name))
            ? name
            : throw new CallFailedException($"no disposable of {template}: {LogText.Escape(reply)}");
    }

    /// <summary>Kills a qube. Nobody waits for the outcome of that, so a failure is only returned.</summary>
    public async Task<bool> TryKillAsync(string destination, CancellationToken cancellation)
    {
        try
        {
            return (await CallAsync("admin.vm.Kill", destination, "", cancellation)).StartsWith("0\0", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is CallFailedException or OperationCanceledException)
        {
            return false;
        }
    }
}
