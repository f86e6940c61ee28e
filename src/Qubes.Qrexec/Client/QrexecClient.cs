using System.Globalization;
using System.Text;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Daemon;
using Qubes.Qrexec.Data;
using Qubes.Qrexec.Services;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Client;

/// <summary>What qrexec-client does for one command line.</summary>
/// <param name="options">The command line.</param>
/// <param name="standardStreams">Our own input, output and error output; asked for only when they are used.</param>
/// <param name="log">For one line when something fails.</param>
public sealed class QrexecClient(QrexecClientOptions options, Func<CallerStreams> standardStreams, TextWriter log)
{
    private const int ConnectFailed = 137;
    private const int ProtocolError = 1;

    private readonly ServiceLookup _services = new(ServicePaths.FromEnvironment(options.Paths));

    /// <summary>Runs to the end and returns the exit status.</summary>
    public async Task<int> RunAsync(CancellationToken cancellation = default)
    {
        try
        {
            int status = await DispatchAsync(cancellation);
            return options.IgnoreExitCode ? 0 : status;
        }
        catch (Exception e) when (e is ServiceException or DaemonConnectionException or TimeoutException or QrexecProtocolException or VchanException)
        {
            await log.WriteLineAsync($"{QrexecClientProgram.Name}: {e.Message}");
            return e switch
            {
                ServiceException service => service.ExitCode,
                QrexecProtocolException => ProtocolError,
                _ => options.Connect is null ? QrexecExitCode.Problem : ConnectFailed,
            };
        }
    }

    private Task<int> DispatchAsync(CancellationToken cancellation) => (TargetName.IsDom0(options.Target), options.Connect) switch
    {
        (true, null) => new HostCall(options, _services).RunAsync(cancellation),
        (true, { } request) => ConnectToHostAsync(request, cancellation),
        (false, null) => CallQubeAsync(cancellation),
        (false, { } request) => ConnectToQubeAsync(request, cancellation),
    };

    private async Task<int> CallQubeAsync(CancellationToken cancellation)
    {
        using DaemonConnection daemon = await ConnectToDaemonAsync(options.Target, cancellation);
        try
        {
            // Before the qube is asked for anything: a call whose local side can not run should not be made.
            using LocalProgram? program = options.LocalProgram is { } command
                ? await LocalProgram.StartAsync(command, options.Target, _services, cancellation)
                : null;
            ExecParams place = await daemon.RequestAsync(
                options.JustExec ? QrexecMessageType.JustExec : QrexecMessageType.ExecCmdline, 0, Encoding.UTF8.GetBytes(options.Command), cancellation);
            await using IVchan vchan = await AcceptAsync(place, cancellation);
            DataLink link = await DataLink.HandshakeAsync(vchan, writeFirst: true, cancellation);
            return await CallerEnd.RunAsync(link, StreamsFor(program), cancellation);
        }
        finally
        {
            if (options.KillTarget)
            {
                await new QubesdClient(options.Paths.AdminSocket).TryKillAsync(options.Target, cancellation);
            }
        }
    }

    private async Task<IVchan> AcceptAsync(ExecParams place, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = Patience(cancellation);
        try
        {
            await using IVchanListener listener = await HostTransport.ForQube(options.Paths, place.Domain, options.VchanSocketDirectory)
                .ListenAsync(place.Domain, place.Port, patience.Token);
            return await listener.AcceptAsync(patience.Token);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException("the qube did not open the data connection in time", e);
        }
    }

    private async Task<int> ConnectToHostAsync(ApprovedRequest request, CancellationToken cancellation)
    {
        QrexecServiceCall call = QrexecCommand.Parse(Encoding.UTF8.GetBytes(options.Command), hasUser: false)?.Service
            ?? throw ServiceException.Problem("the command is no call of a service");
        using DaemonConnection daemon = await ConnectToDaemonAsync(Id(request), cancellation);

        // The field without its last byte, which is the NUL that ends the command: 40 bytes in all, as agents expect them.
        ExecParams place = await daemon.RequestAsync(QrexecMessageType.ServiceConnect, 0, request.Id.Field[..^1], cancellation);
        using HostService service = await HostService.StartAsync(_services, call, log.WriteLine, cancellation);
        using CancellationTokenSource patience = Patience(cancellation);
        try
        {
            IVchan vchan = await HostTransport.ForQube(options.Paths, place.Domain, options.VchanSocketDirectory)
                .ConnectAsync(place.Domain, place.Port, patience.Token);
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            return await service.CarryAsync(vchan, cancellation);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException("the caller does not listen for the data connection", e);
        }
    }

    private async Task<int> ConnectToQubeAsync(ApprovedRequest request, CancellationToken cancellation)
    {
        using DaemonConnection target = await ConnectToDaemonAsync(options.Target, cancellation);
        ExecParams place = await target.RequestAsync(
            QrexecMessageType.ExecCmdline, request.SourceDomain, Encoding.UTF8.GetBytes(options.Command), cancellation);
        using DaemonConnection source = await ConnectToDaemonAsync(Id(request), cancellation);
        await source.SendAsync(QrexecMessageType.ServiceConnect, ServiceConnect.Body(place, request.Id), cancellation);
        if (options.WaitForEnd)
        {
            await target.WaitClosedAsync(cancellation);
        }

        return 0;
    }

    private CallerStreams StreamsFor(LocalProgram? program)
    {
        CallerStreams own = standardStreams();
        CallerStreams streams = program is null ? own : program.StreamsWith(own.Error);
        return streams with
        {
            Output = options.FilterOutput ? new FilteredSink(streams.Output) : streams.Output,
            Error = options.FilterError ? new FilteredSink(streams.Error) : streams.Error,
            Prefix = Encoding.UTF8.GetBytes(options.PrefixData ?? ""),
        };
    }

    private Task<DaemonConnection> ConnectToDaemonAsync(string qube, CancellationToken cancellation) =>
        qube.Contains('/', StringComparison.Ordinal)
            ? throw new DaemonConnectionException($"'{qube}' can not be a qube")
            : DaemonConnection.ConnectAsync(Path.Combine(options.SocketDirectory, "qrexec." + qube), cancellation);

    private CancellationTokenSource Patience(CancellationToken cancellation)
    {
        CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(options.ConnectTimeout);
        return patience;
    }

    private static string Id(ApprovedRequest request) => request.SourceDomain.ToString(CultureInfo.InvariantCulture);
}
