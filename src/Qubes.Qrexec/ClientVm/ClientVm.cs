using System.Net.Sockets;
using System.Text;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Data;
using Qubes.Qrexec.IO;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.ClientVm;

/// <summary>
/// One call from inside a qube: asks the agent, which asks the daemon, which asks the policy; then serves the data vchan that the
/// service's side connects to.
/// </summary>
/// <param name="options">What to call.</param>
/// <param name="transport">The way to other domains.</param>
/// <param name="standardStreams">Our own streams; asked for only when no program stands in for them.</param>
/// <param name="error">Standard error, for messages.</param>
public sealed class ClientVm(ClientVmOptions options, IVchanTransport transport, Func<CallerStreams> standardStreams, TextWriter error)
{
    /// <summary>The request was refused, by policy as a rule.</summary>
    public const int Refused = 126;
    private const int Failed = 1;

    // From the approval to the connection of the other side, which may have to start a qube first: that is before the approval.
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(120);

    /// <summary>Runs the call and returns the exit status.</summary>
    public async Task<int> RunAsync(CancellationToken cancellation = default)
    {
        try
        {
            // Its end tells the agent that the call is over and its port free: it stays as long as the call.
            using Socket agent = await UnixAddress.ConnectAsync(options.AgentSocket, cancellation);
            if (await AskAsync(agent, cancellation) is not { } place)
            {
                await error.WriteLineAsync("Request refused");
                return Refused;
            }

            using ConnectedProgram? program = options.Program.Count > 0 ? ConnectedProgram.Start(options.Program) : null;
            await using IVchan vchan = await AcceptAsync(place, cancellation);
            DataLink link = await DataLink.HandshakeAsync(vchan, writeFirst: true, cancellation);
            return await CallerEnd.RunAsync(link, Filtered(program), cancellation);
        }
        catch (VchanClosedException)
        {
            return QrexecExitCode.Missing;
        }
        catch (Exception e) when (e is SocketException or LinuxException or VchanException or QrexecProtocolException or TimeoutException)
        {
            await error.WriteLineAsync($"{ClientVmProgram.Name}: {LogText.Escape(e.Message)}");
            return Failed;
        }
    }

    // header { TRIGGER_SERVICE4, length }, body; the answer is { domain, port }, or the end of the stream for a refusal.
    private async Task<ExecParams?> AskAsync(Socket agent, CancellationToken cancellation)
    {
        byte[] body = TriggerService.Version4Body(
            Encoding.UTF8.GetBytes(options.SourceQube ?? ""), Encoding.UTF8.GetBytes(options.Target), RequestId.FromText("SOCKET"),
            Encoding.UTF8.GetBytes(options.Service));
        byte[] message = new byte[QrexecHeader.Size + body.Length];
        new QrexecHeader(QrexecMessageType.TriggerService4, (uint)body.Length).Write(message);
        body.CopyTo(message, QrexecHeader.Size);
        await agent.SendAllAsync(message, cancellation);
        byte[] answer = new byte[ExecParams.Size];
        int length = 0;
        while (length < answer.Length)
        {
            int count = await agent.ReceiveAsync(answer.AsMemory(length), cancellation);
            if (count == 0)
            {
                return length == 0 ? null : throw new QrexecProtocolException("the agent's answer is cut off");
            }

            length += count;
        }

        return ExecParams.Read(answer);
    }

    private async Task<IVchan> AcceptAsync(ExecParams place, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(ConnectPatience);
        try
        {
            await using IVchanListener listener = await transport.ListenAsync(place.Domain, place.Port, patience.Token);
            return await listener.AcceptAsync(patience.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException("the service's side did not connect in time", e);
        }
    }

    private CallerStreams Filtered(ConnectedProgram? program)
    {
        CallerStreams own = standardStreams();
        CallerStreams streams = program is null ? own : program.StreamsWith(own.Error);
        return streams with
        {
            Output = options.FilterOutput == true ? new FilteredSink(streams.Output) : streams.Output,
            Error = options.FilterError == true ? new FilteredSink(streams.Error) : streams.Error,
            Prefix = Encoding.UTF8.GetBytes(options.PrefixData ?? ""),
        };
    }
}
