using System.Buffers;
using Qubes.Admin.Methods;
using Qubes.Admin.Server;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Admin;

namespace Qubes.Admin.Calls;

/// <summary>One call on its way through a handler. Belongs to the model loop.</summary>
public sealed class AdminCall
{
    private readonly AdminConnection _connection;

    internal AdminCall(AdminServices services, AdminConnection connection, AdminMethod method, Qube source, Qube destination,
        string untrustedArgument, byte[] untrustedPayload, ReplyBuffer reply)
    {
        _connection = connection;
        Services = services;
        Method = method;
        Source = source;
        Destination = destination;
        UntrustedArgument = untrustedArgument;
        UntrustedPayload = untrustedPayload;
        Reply = reply;
    }

    public AdminServices Services { get; }

    public QubesApp App => Services.App;

    public AdminMethod Method { get; }

    /// <summary>Who calls.</summary>
    public Qube Source { get; }

    /// <summary>On what.</summary>
    public Qube Destination { get; }

    /// <summary>ASCII without space and NUL; empty if there is none.</summary>
    public string UntrustedArgument { get; }

    public byte[] UntrustedPayload { get; }

    /// <summary>Where the content goes; begins as a success reply.</summary>
    public ReplyBuffer Reply { get; }

    /// <summary>What follows <see cref="Reply"/>, if the reply is not put together at once.</summary>
    internal IReplySource? ReplyRest { get; set; }

    /// <summary>By the recorder's clock, when the whole request was there; 0 without a recorder.</summary>
    internal long Began { get; set; }

    /// <summary>It counts among its caller's calls.</summary>
    internal bool HasEntered { get; set; }

    /// <summary>The user at the other end of the socket; null where nothing is recorded.</summary>
    internal uint? PeerUserId => _connection.PeerUserId;

    /// <summary>What extensions have said.</summary>
    internal CallConsents Consents => field ??= new CallConsents();

    /// <summary>The permission event was fired and nobody refused.</summary>
    internal bool IsPermitted { get; private set; }

    /// <summary>False once the caller has gone.</summary>
    public bool IsCallerConnected => _connection.IsOpen;

    /// <summary>
    /// Asks, by the permission event on the caller, whether this call may be made: the one place where calls are refused.
    /// </summary>
    /// <param name="extras">Keywords besides <c>dest</c> and <c>arg</c>.</param>
    /// <returns>For listing calls: which items the caller may see.</returns>
    public AdminFilters Permit(params ReadOnlySpan<(string Key, object? Value)> extras) => PermitAs(Method.PermissionEvent, extras);

    /// <summary>As <see cref="Permit"/>, in the name of another call: for the parts of one that is made of several.</summary>
    public AdminFilters PermitAs(string permissionEvent, params ReadOnlySpan<(string Key, object? Value)> extras)
    {
        IsPermitted = true;
        return Ask(permissionEvent, Destination, UntrustedArgument, extras);
    }

    /// <summary>As <see cref="Permit"/>, for one of the calls this one stands for.</summary>
    internal void PermitPart(string permissionEvent, Qube destination, string untrustedArgument, params ReadOnlySpan<(string Key, object? Value)> extras) =>
        Ask(permissionEvent, destination, untrustedArgument, extras);

    private AdminFilters Ask(string permissionEvent, Qube destination, string untrustedArgument, ReadOnlySpan<(string Key, object? Value)> extras)
    {
        bool isAsked = Services.PermissionGate?.Concerns(permissionEvent) == true;
        if (!isAsked && !Source.HasHandlers(permissionEvent))
        {
            return default;
        }

        EventArguments arguments = EventArguments.Of([("dest", destination), ("arg", untrustedArgument), .. extras]);
        QubesEvent? permission = Source.FirePre(permissionEvent, arguments);
        if (isAsked)
        {
            // After the rules of the daemon itself: what those refuse is nobody else's business.
            permission ??= new QubesEvent(Source, permissionEvent, arguments, isPre: true);
            Consents.Require(permission);
        }

        return new AdminFilters(permission);
    }

    /// <summary>Who changes something by this call.</summary>
    public ChangeOrigin Origin => new(
        Source.Name, UntrustedArgument.Length == 0 ? Method.Name : $"{Method.Name}+{UntrustedArgument}", Services.Clock.GetUtcNow());

    /// <summary>Begins a change made by this call. Dispose it; hand it to <see cref="CommitAsync"/> before.</summary>
    public ModelChange BeginChange() => App.Changes.Begin(Origin);

    /// <summary>Waits until the change is durable; observers then learn of it. Throws, and the change is undone, if it cannot be.</summary>
    public Task CommitAsync(ModelChange change) => Services.CommitAsync(change);

    /// <summary>Adds text to the reply.</summary>
    public void Write(ReadOnlySpan<char> text) => Reply.WriteText(text);

    /// <summary>Adds a line to the reply.</summary>
    public void WriteLine(ReadOnlySpan<char> text)
    {
        Write(text);
        Reply.Write("\n"u8);
    }

    /// <summary>
    /// Turns the reply into a stream that ends with the connection. Each message is one event.
    /// </summary>
    /// <param name="disconnected">Called once, on the loop, when the caller has gone.</param>
    public AdminEventSink BeginStream(Action disconnected)
    {
        Services.Gate.EnterStream(Source);
        _connection.Disconnected = () =>
        {
            Services.Gate.LeaveStream(Source);
            disconnected();
        };
        IsStream = true;
        return new AdminEventSink(_connection);
    }

    /// <summary>The reply is a stream: nothing is sent when the handler returns.</summary>
    internal bool IsStream { get; private set; }

    internal void Restart() => Reply.Truncate(AdminReplyWriter.SuccessHeader.Length);
}
