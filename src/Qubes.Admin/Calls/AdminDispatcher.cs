using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;
using Qubes.Admin.Limits;
using Qubes.Admin.Methods;
using Qubes.Admin.Server;
using Qubes.Extensions.OutOfProcess;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Admin;
using Qubes.Protocol.Audit;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Calls;

/// <summary>
/// Takes a request through the checks every call has, in the order callers know, runs its handler and sends the reply. Whatever
/// happens, the caller gets a reply.
/// </summary>
public sealed class AdminDispatcher : IAdminDispatcher
{
    private const string InternalErrorText = "internal error in qubesd, see its log for details";

    // A call of many parts asks for each of them.
    private const int MaxQuestions = 256;

    private readonly AdminServices _services;
    private readonly AdminMethodTable _methods;
    private readonly DeviceClassMethods _deviceMethods;
    private readonly AdminDispatcherOptions _options;
    private readonly ReplyBuffers _buffers = new();

    public AdminDispatcher(AdminServices services, AdminMethodTable methods, AdminDispatcherOptions options)
    {
        _services = services;
        _methods = methods;
        _deviceMethods = new DeviceClassMethods(services.App);
        _options = options;
    }

    public void Dispatch(AdminConnection connection, ReadOnlySpan<byte> untrustedRequest)
    {
        ReplyBuffer reply = _buffers.Rent();
        AdminCall? call = null;
        long began = _services.Recorder?.Begin() ?? 0;
        try
        {
            reply.Write(AdminReplyWriter.SuccessHeader);
            if (_services.Recorder is not null)
            {
                connection.IdentifyPeer();
            }

            call = Accept(connection, untrustedRequest, reply);
            call.Began = began;
            Admission admission = _services.Gate.Enter(call.Source, call.Method);
            call.HasEntered = admission.Refusal is null;
            if (!admission.IsFree)
            {
                _ = AdmitLaterAsync(admission, connection, call, reply);
                return;
            }

            ValueTask handling = InvokeAsync(call);
            if (!handling.IsCompletedSuccessfully)
            {
                _ = FinishLaterAsync(handling, connection, call, reply);
                return;
            }

            Succeed(connection, call, reply);
        }
        catch (Exception e)
        {
            string outcome = Fail(connection, call, reply, e);
            if (call is null)
            {
                _services.Recorder?.RecordRefused(untrustedRequest, outcome, began, connection.PeerUserId);
            }
        }

        _buffers.Return(reply);
    }

    /// <summary>Carries out, or refuses, a call of somebody who has to wait.</summary>
    private async Task AdmitLaterAsync(Admission admission, AdminConnection connection, AdminCall call, ReplyBuffer reply)
    {
        try
        {
            await _services.Gate.WaitAsync(admission);
            if (admission.Refusal is { } reason)
            {
                _services.Gate.LeaveRefused(call.Source);
                throw QubesErrors.RateLimited(reason);
            }

            // The caller or what it calls may have gone meanwhile.
            foreach (Qube qube in (ReadOnlySpan<Qube>)[call.Source, call.Destination])
            {
                if (!qube.IsInCollection)
                {
                    throw QubesErrors.VMNotFound(qube.Name);
                }
            }

            await InvokeAsync(call);
            Succeed(connection, call, reply);
        }
        catch (Exception e)
        {
            Fail(connection, call, reply, e);
        }

        _buffers.Return(reply);
    }

    private ValueTask InvokeAsync(AdminCall call) =>
        _services.PermissionGate is null ? call.Method.InvokeAsync(call) : InvokeWithConsentAsync(call, _services.PermissionGate);

    /// <summary>Runs the handler; where it turns out that extensions have to be asked, asks and runs it again.</summary>
    private static async ValueTask InvokeWithConsentAsync(AdminCall call, IPermissionGate gate)
    {
        for (int questions = 0; questions <= MaxQuestions; questions++)
        {
            ConsentPendingException pending;
            try
            {
                await call.Method.InvokeAsync(call);
                return;
            }
            catch (ConsentPendingException e)
            {
                pending = e;
            }

            call.Consents.Give(pending.Question, await gate.AskAsync(pending.Permission));
            call.Restart();
        }

        throw QubesErrors.General("This call needs the consent of extensions in too many parts");
    }

    private async Task FinishLaterAsync(ValueTask handling, AdminConnection connection, AdminCall call, ReplyBuffer reply)
    {
        try
        {
            await handling;
            Succeed(connection, call, reply);
        }
        catch (Exception e)
        {
            Fail(connection, call, reply, e);
        }

        _buffers.Return(reply);
    }

    /// <summary>The checks before the handler's own: framing, source, destination, method, payload, argument, class.</summary>
    private AdminCall Accept(AdminConnection connection, ReadOnlySpan<byte> untrustedRequest, ReplyBuffer reply)
    {
        AdminRequestError error = AdminRequest.TryParse(untrustedRequest, out AdminRequest request);
        if (error != AdminRequestError.None)
        {
            throw QubesErrors.Communication(AdminRequestErrorText.Of(error));
        }

        if (_options.LogCalls && _services.Logger.IsEnabled(LogLevel.Debug))
        {
            _services.Logger.LogDebug("{Method}+{Argument} {Source} -> {Destination}, {Size} bytes",
                LogText.Escape(Encoding.ASCII.GetString(request.UntrustedMethod)),
                LogText.Escape(Encoding.ASCII.GetString(request.UntrustedArgument)),
                LogText.Escape(Encoding.ASCII.GetString(request.UntrustedSource)),
                LogText.Escape(Encoding.ASCII.GetString(request.UntrustedDestination)), request.UntrustedPayload.Length);
        }

        Qube source = Find(request.UntrustedSource);
        Qube destination = Find(request.UntrustedDestination);
        if (!_methods.TryFind(request.UntrustedMethod, connection.Kind, out AdminMethod? method)
            && (connection.Kind != AdminSocketKind.Admin || !_deviceMethods.TryFind(request.UntrustedMethod, out method)))
        {
            throw QubesErrors.Protocol($"no such method: '{Encoding.ASCII.GetString(request.UntrustedMethod)}'");
        }

        Require(method.Payload, request.UntrustedPayload.IsEmpty, "expected payload", "unexpected payload");
        Require(method.Argument, request.UntrustedArgument.IsEmpty, "expected an argument", "unexpected argument");
        if (method.Destination == AdminDestination.AdminVM && destination is not AdminVM)
        {
            throw QubesErrors.Protocol("expected destination to be AdminVM");
        }

        if (method.Destination == AdminDestination.NotAdminVM && destination is AdminVM)
        {
            throw QubesErrors.Protocol("expected destination to not be AdminVM");
        }

        return new AdminCall(_services, connection, method, source, destination,
            Encoding.ASCII.GetString(request.UntrustedArgument), request.UntrustedPayload.ToArray(), reply);
    }

    private static void Require(AdminPart part, bool isEmpty, string expected, string unexpected)
    {
        if (part == AdminPart.Required && isEmpty)
        {
            throw QubesErrors.Protocol(expected);
        }

        if (part == AdminPart.None && !isEmpty)
        {
            throw QubesErrors.Protocol(unexpected);
        }
    }

    private Qube Find(ReadOnlySpan<byte> untrustedName)
    {
        string text = Encoding.ASCII.GetString(untrustedName);
        if (text.StartsWith(QubeUuid.WirePrefix, StringComparison.Ordinal))
        {
            QubeUuid uuid = QubeUuid.ParseWire(text[QubeUuid.WirePrefix.Length..]);
            return _services.App.Domains.TryFind(uuid, out Qube? byUuid) ? byUuid : throw QubesErrors.VMNotFound(text);
        }

        // A name that is in use is valid: the rules are asked only for the others, to name what is wrong.
        if (_services.App.Domains.TryFind(text, out Qube? qube))
        {
            return qube;
        }

        _ = QubeName.Parse(text);
        throw QubesErrors.VMNotFound(text);
    }

    private void Succeed(AdminConnection connection, AdminCall call, ReplyBuffer reply)
    {
        if (call.Method.NeedsPermission && !call.IsPermitted)
        {
            throw new InvalidOperationException($"{call.Method.Name} acted without asking for permission");
        }

        if (!call.IsStream)
        {
            connection.Reply(reply.Written, call.ReplyRest);
        }

        Conclude(call, AuditEntry.Succeeded);
    }

    /// <summary>The call is over for its caller's account, and for the record.</summary>
    private void Conclude(AdminCall call, string outcome)
    {
        _services.Recorder?.Record(call, outcome);
        if (call.HasEntered)
        {
            call.HasEntered = false;
            _services.Gate.Leave(call.Source);
        }
    }

    /// <summary>Sends the error; returns its class.</summary>
    private string Fail(AdminConnection connection, AdminCall? call, ReplyBuffer reply, Exception exception)
    {
        string name = QubesErrorNames.QubesException;
        string text = InternalErrorText;
        string method = call?.Method.Name ?? "request";
        if (exception is QubesException known)
        {
            (name, text) = (known.WireName, known.Message);
            bool isCallersFault = known.Is(QubesErrorNames.ProtocolError) || known.Is(QubesErrorNames.PermissionDenied);
            _services.Logger.Log(isCallersFault ? LogLevel.Warning : LogLevel.Debug, "{Method} by {Source} on {Destination}: {Name}: {Text}",
                method, call?.Source.Name.Value ?? "?", call?.Destination.Name.Value ?? "?", name, LogText.Escape(text));
        }
        else
        {
            if (DiskRefusal.ReasonOf(exception) is { } reason)
            {
                text = $"The disk of the host takes no changes: {reason}";
            }

            _services.Logger.LogError(exception, "{Method} by {Source} on {Destination} failed", method,
                call?.Source.Name.Value ?? "?", call?.Destination.Name.Value ?? "?");
        }

        reply.Truncate(0);
        AdminReplyWriter.WriteException(reply, name, text, _options.SendTracebacks ? exception.ToString() : "");
        connection.Reply(reply.Written);
        if (call is not null)
        {
            Conclude(call, name);
        }

        return name;
    }
}
