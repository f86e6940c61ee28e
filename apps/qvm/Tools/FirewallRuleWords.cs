using System.Globalization;
using Qubes.Protocol.Firewall;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary>Reads a rule as it is given on the command line: words by position, <c>KEY=VALUE</c>, or both.</summary>
internal static class FirewallRuleWords
{
    private static readonly string[] Keys =
        ["action", "dsthost", "dst4", "dst6", "dstname", "proto", "dstports", "icmptype", "specialtarget", "expire", "comment"];

    /// <param name="words">A word by position is the next option, of those that can still be given.</param>
    /// <param name="now">What an expiry of <c>+N</c> counts from.</param>
    /// <exception cref="UsageException">A word is neither.</exception>
    /// <exception cref="Qubes.Protocol.Errors.QubesException">A value is not one the option can have.</exception>
    public static FirewallRule Parse(IReadOnlyList<string> words, DateTimeOffset now)
    {
        List<string> positions = ["action", "dsthost", "proto", "dstports", "icmptype"];
        FirewallRuleBuilder rule = new();
        foreach (string word in words)
        {
            (string key, string value) = Split(word, positions);
            positions.Remove(key.StartsWith("dst", StringComparison.Ordinal) && key != "dstports" ? "dsthost" : key);
            if (key == "proto")
            {
                positions.Remove(value == "icmp" ? "dstports" : "icmptype");
            }

            rule.Set(key, key == "expire" ? Expiry(value, now) : value);
        }

        return rule.Build();
    }

    private static (string Key, string Value) Split(string word, List<string> positions)
    {
        string[] parts = word.Split('=');
        if (parts.Length == 1)
        {
            return positions.Count > 0 ? (positions[0], word) : throw new UsageException($"invalid rule description: {word}");
        }

        if (parts.Length > 2 || parts[1].Length == 0)
        {
            throw new UsageException($"invalid rule description: {word}");
        }

        return Keys.Contains(parts[0]) ? (parts[0], parts[1]) : throw new UsageException($"Invalid rule element: {parts[0]}");
    }

    private static string Expiry(string value, DateTimeOffset now) =>
        value.StartsWith('+') && long.TryParse(value.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
            ? (now.ToUnixTimeSeconds() + Math.Min(seconds, uint.MaxValue)).ToString(CultureInfo.InvariantCulture)
            : value;
}
