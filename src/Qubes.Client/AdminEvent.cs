namespace Qubes.Client;

/// <summary>One event of the daemon.</summary>
/// <param name="Subject">The qube's name; empty for the whole system.</param>
/// <param name="Name">For example <c>domain-start</c> or <c>property-set:netvm</c>.</param>
/// <param name="Keywords">The event's keywords, in the order sent.</param>
public sealed record AdminEvent(string Subject, string Name, IReadOnlyList<KeyValuePair<string, string>> Keywords)
{
    /// <summary>First event of every stream; what a client knew before is to be asked again.</summary>
    public const string ConnectionEstablished = "connection-established";

    /// <summary>The value of a keyword, or null if the event does not carry it.</summary>
    public string? this[string keyword]
    {
        get
        {
            foreach ((string key, string value) in Keywords)
            {
                if (key == keyword)
                {
                    return value;
                }
            }

            return null;
        }
    }
}
