using System.Globalization;
using System.Text;
using Qubes.Protocol.Errors;
using Qubes.Store.History;

namespace Qubes.Admin.Handlers;

/// <summary>Which changes a caller of <c>admin.history.List</c> wants to see.</summary>
internal sealed class HistoryQuery
{
    public const int MostEntries = 500;
    private const int UsualEntries = 50;

    private readonly HashSet<string> _given = new(StringComparer.Ordinal);
    private string? _qube;
    private string? _who;
    private string? _call;

    private HistoryQuery()
    {
    }

    /// <summary>Only revisions below this one.</summary>
    public long? Before { get; private set; }

    public int Limit { get; private set; } = UsualEntries;

    // <payload> = [ word *( SP word ) ], word = key '=' value

    /// <exception cref="QubesException"><c>ProtocolError</c>.</exception>
    public static HistoryQuery Parse(ReadOnlySpan<byte> untrustedPayload)
    {
        if (!Ascii.IsValid(untrustedPayload))
        {
            throw QubesErrors.Protocol("Query contains non-ASCII characters");
        }

        HistoryQuery query = new();
        foreach (string word in Encoding.ASCII.GetString(untrustedPayload).Split(' '))
        {
            if (word.Length == 0 && query._given.Count == 0)
            {
                continue;
            }

            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                throw QubesErrors.Protocol("Query must have the form key=value, separated by single spaces");
            }

            query.Take(word[..equals], word[(equals + 1)..]);
        }

        return query;
    }

    public bool Matches(HistoryEntry entry) =>
        (_who is null || entry.Who == _who)
        && (_call is null || entry.Call.StartsWith(_call, StringComparison.Ordinal))
        && (_qube is null || entry.Changes.Any(change => change.Subject == _qube));

    private void Take(string key, string untrustedValue)
    {
        if (!_given.Add(key))
        {
            throw QubesErrors.Protocol("Options must be unique");
        }

        switch (key)
        {
            case "before":
                Before = PayloadNumber.Parse(Encoding.ASCII.GetBytes(untrustedValue), "Before");
                break;
            case "limit":
                long limit = PayloadNumber.Parse(Encoding.ASCII.GetBytes(untrustedValue), "Limit");
                Limit = limit is >= 1 and <= MostEntries
                    ? (int)limit
                    : throw QubesErrors.Protocol(string.Create(CultureInfo.InvariantCulture, $"Limit must be from 1 to {MostEntries}"));
                break;
            case "qube":
                _qube = untrustedValue;
                break;
            case "who":
                _who = untrustedValue;
                break;
            case "call":
                _call = untrustedValue;
                break;
            default:
                throw QubesErrors.Protocol("Options does not match: before, limit, qube, who, call");
        }
    }
}
