using Microsoft.Extensions.Logging;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Data;
using Qubes.Qrexec.Services;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Agent;

/// <summary>The agent: one control link at a time, calls and local requests beside it. It outlives its daemon and waits for the next one.</summary>
public sealed class QrexecAgent : IDisposable
{
    private readonly IVchanTransport _transport;
    private readonly AgentOptions _options;
    private readonly ILogger _logger;
    private readonly CallStarter _calls;
    private readonly int _maxControlBody;
    private TriggerServer? _triggers;

    /// <param name="transport">Reaches dom0.</param>
    /// <param name="options">Settings.</param>
    /// <param name="lookup">Finds services.</param>
    /// <param name="maxControlBody">Largest message body the daemon's end can take.</param>
    /// <param name="logger">For what happens.</param>
    public QrexecAgent(IVchanTransport transport, AgentOptions options, ServiceLookup lookup, int maxControlBody, ILogger logger)
    {
        _transport = transport;
        _options = options;
        _logger = logger;
        _maxControlBody = maxControlBody;
        _calls = new(options, lookup, logger);
    }

    /// <summary>Runs until cancelled; <paramref name="ready"/> is called once, when the first daemon has connected and requests can be made.</summary>
    public async Task RunAsync(Action ready, CancellationToken cancellationToken)
    {
        await using IVchanListener listener = await _transport.ListenAsync(0, QrexecPorts.Control, cancellationToken);
        Task? serving = null;
        while (true)
        {
            IVchan vchan = await listener.AcceptAsync(cancellationToken);
            try
            {
                await using AgentLink link = await AgentLink.OpenAsync(vchan, cancellationToken);
                AgentLog.Connected(_logger);
                _triggers ??= new(_options.TriggerSocket, _maxControlBody, _logger);
                _triggers.Use(link);
                if (serving is null)
                {
                    serving = _triggers.RunAsync(cancellationToken);
                    ready();
                }

                await ServeAsync(link, cancellationToken);
                AgentLog.Disconnected(_logger);
            }
            catch (Exception e) when (e is VchanException or QrexecProtocolException)
            {
                AgentLog.ControlFailed(_logger, e.Message);
                await vchan.DisposeAsync();
            }
            finally
            {
                _triggers?.Use(null);
            }
        }
    }

    public void Dispose() => _triggers?.Dispose();

    private async Task ServeAsync(AgentLink link, CancellationToken cancellationToken)
    {
        while (await link.Reader.ReadHeaderAsync(cancellationToken) is { } header)
        {
            if (header.Length > QrexecLimits.CommandBody)
            {
                throw new QrexecProtocolException("oversized control message");
            }

            byte[] body = await link.Reader.ReadBodyAsync(cancellationToken);
            switch (header.Type)
            {
                case QrexecMessageType.ExecCmdline or QrexecMessageType.JustExec:
                    if (body.Length < ExecRequest.MinBodySize)
                    {
                        throw new QrexecProtocolException("exec message too short");
                    }

                    // Upstream's agents overwrite the last byte, whatever it was.
                    body[^1] = 0;
                    if (ExecRequest.TryRead(body, out ExecRequest request))
                    {
                        _ = CallAsync(link, header.Type, request, cancellationToken);
                    }

                    break;
                case QrexecMessageType.ServiceConnect:
                    if (!ExecRequest.TryRead(body, out ExecRequest connect) || RequestId.FromText(connect.Command.Span) is not { } id)
                    {
                        throw new QrexecProtocolException("malformed SERVICE_CONNECT");
                    }

                    _triggers!.Answer(id, connect.Params);
                    break;
                case QrexecMessageType.ServiceRefused when body.Length == QrexecLimits.RequestIdField:
                    _triggers!.Answer(RequestId.FromField(body), null);
                    break;
                default:
                    throw new QrexecProtocolException($"unexpected message {(uint)header.Type:x} of {header.Length} bytes");
            }
        }
    }

    private async Task CallAsync(AgentLink link, QrexecMessageType type, ExecRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await _calls.RunAsync(type, request, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            AgentLog.CallProblem(_logger, e.Message);
        }

        await link.SendTerminatedAsync(request.Params);
    }
}
