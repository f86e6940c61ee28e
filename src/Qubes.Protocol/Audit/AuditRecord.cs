using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Qubes.Protocol.Audit;

/// <summary>One line of the log, read back. Its parts are as they were written, and as untrusted as what was called then.</summary>
public sealed record AuditRecord
{
    public long Sequence { get; private set; }

    public DateTime Time { get; private set; }

    /// <summary>For records about the log itself, see <see cref="AuditEvents"/>; null for calls.</summary>
    public string? Event { get; private set; }

    public string Source { get; private set; } = "";

    public string Call { get; private set; } = "";

    public string Argument { get; private set; } = "";

    public string Target { get; private set; } = "";

    public string Outcome { get; private set; } = "";

    public long Microseconds { get; private set; }

    public string? Policy { get; private set; }

    public long? UserId { get; private set; }

    /// <summary>Of <see cref="AuditEvents.Open"/>.</summary>
    public string? Previous { get; private set; }

    /// <summary>Of <see cref="AuditEvents.Start"/>.</summary>
    public bool IsClean { get; private set; }

    /// <summary>Of <see cref="AuditEvents.Gap"/>.</summary>
    public long Lost { get; private set; }

    /// <summary>Of <see cref="AuditEvents.Gap"/>.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Of <see cref="AuditEvents.Torn"/>.</summary>
    public string Fragment { get; private set; } = "";

    /// <summary>Of <see cref="AuditEvents.Prune"/>.</summary>
    public long Until { get; private set; }

    public string Hash { get; private set; } = "";

    /// <summary>Reads one line, without its line feed. Only the form is checked, not the hash.</summary>
    public static bool TryParse(ReadOnlySpan<byte> untrustedLine, [NotNullWhen(true)] out AuditRecord? record)
    {
        record = null;
        if (untrustedLine.Length is < 100 or > AuditFormat.LongestLine || untrustedLine.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            return false;
        }

        AuditRecord read = new();
        try
        {
            Utf8JsonReader json = new(untrustedLine);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                string key = json.GetString()!;
                json.Read();
                read.Take(key, ref json);
            }

            if (json.TokenType != JsonTokenType.EndObject || json.Read() || read.Sequence <= 0
                || read.Hash.Length != 2 * AuditFormat.HashLength || !read.Hash.All(char.IsAsciiHexDigitLower))
            {
                return false;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }

        record = read;
        return true;
    }

    private void Take(string key, ref Utf8JsonReader json)
    {
        switch (key)
        {
            case "seq":
                Sequence = json.GetInt64();
                break;
            case "time":
                Time = json.GetDateTime().ToUniversalTime();
                break;
            case "event":
                Event = json.GetString();
                break;
            case "source":
                Source = json.GetString() ?? "";
                break;
            case "call":
                Call = json.GetString() ?? "";
                break;
            case "arg":
                Argument = json.GetString() ?? "";
                break;
            case "target":
                Target = json.GetString() ?? "";
                break;
            case "outcome":
                Outcome = json.GetString() ?? "";
                break;
            case "us":
                Microseconds = json.GetInt64();
                break;
            case "policy":
                Policy = json.GetString();
                break;
            case "uid":
                UserId = json.GetInt64();
                break;
            case "prev":
                Previous = json.GetString();
                break;
            case "clean":
                IsClean = json.GetBoolean();
                break;
            case "lost":
                Lost = json.GetInt64();
                break;
            case "reason":
                Reason = json.GetString() ?? "";
                break;
            case "fragment":
                Fragment = json.GetString() ?? "";
                break;
            case "until":
                Until = json.GetInt64();
                break;
            case "hash":
                Hash = json.GetString() ?? "";
                break;
            default:
                // A later version says more; the hash covers it all the same.
                json.Skip();
                break;
        }
    }
}
