using System.Text;
using Qubes.Client.Transport;
using Qubes.Protocol.Errors;

namespace Qubes.Client;

/// <summary>Something with properties: the system (<see cref="QubesApp"/>) or a qube.</summary>
public abstract class PropertyHolder
{
    private readonly string _prefix;

    private protected PropertyHolder(IAdminTransport transport, string destination, string prefix)
    {
        Transport = transport;
        Name = destination;
        _prefix = prefix;
    }

    /// <summary>The qube's name; <c>dom0</c> for the system.</summary>
    public string Name { get; }

    internal IAdminTransport Transport { get; }

    /// <summary>Makes any call about this object and returns its content as text.</summary>
    public async ValueTask<string> CallAsync(string method, string argument = "", string payload = "", CancellationToken cancellation = default)
    {
        AdminCall call = new(Name, method, argument, Encoding.UTF8.GetBytes(payload));
        return Encoding.UTF8.GetString(AdminReply.Content(await Transport.SendAsync(call, cancellation)).Span);
    }

    public async ValueTask<PropertyValue> GetPropertyAsync(string property, CancellationToken cancellation = default) =>
        PropertyValue.Parse(await CallAsync(_prefix + "Get", property, cancellation: cancellation));

    /// <summary>All properties; where the caller may not ask for all at once, one by one.</summary>
    public async ValueTask<IReadOnlyDictionary<string, PropertyValue>> GetPropertiesAsync(CancellationToken cancellation = default)
    {
        try
        {
            return PropertyValue.ParseAll(await CallAsync(_prefix + "GetAll", cancellation: cancellation));
        }
        catch (QubesException e) when (ClientErrors.IsAccess(e))
        {
            Dictionary<string, PropertyValue> values = new(StringComparer.Ordinal);
            foreach (string property in await ListPropertiesAsync(cancellation))
            {
                values[property] = await GetPropertyAsync(property, cancellation);
            }

            return values;
        }
    }

    public async ValueTask<string[]> ListPropertiesAsync(CancellationToken cancellation = default) =>
        Lines(await CallAsync(_prefix + "List", cancellation: cancellation));

    public async ValueTask SetPropertyAsync(string property, string value, CancellationToken cancellation = default) =>
        await CallAsync(_prefix + "Set", property, value, cancellation);

    public async ValueTask ResetPropertyAsync(string property, CancellationToken cancellation = default) =>
        await CallAsync(_prefix + "Reset", property, cancellation: cancellation);

    public ValueTask<string> GetPropertyHelpAsync(string property, CancellationToken cancellation = default) =>
        CallAsync(_prefix + "Help", property, cancellation: cancellation);

    public static string[] Lines(string content) => content.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
