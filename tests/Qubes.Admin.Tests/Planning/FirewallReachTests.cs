using CsCheck;
using Qubes.Admin.Planning;

namespace Qubes.Admin.Tests.Planning;

public sealed class FirewallReachTests
{
    private static readonly string[] Matches = ["", " proto=tcp", " proto=tcp dstports=1-1", " proto=tcp dstports=2-2", " proto=udp"];

    private static readonly Gen<string[]> Rules =
        Gen.Select(Gen.Bool, Gen.Int[0, Matches.Length - 1], (drops, match) => (drops ? "action=drop" : "action=accept") + Matches[match]).Array[0, 5];

    [Theory]
    [InlineData("action=accept", "action=drop;action=accept", false)]
    [InlineData("action=accept proto=tcp;action=accept", "action=accept proto=tcp", false)]
    [InlineData("action=drop;action=accept", "action=accept", true)]
    [InlineData("", "action=drop", false)]
    [InlineData("", "action=accept", true)]
    [InlineData("action=drop proto=udp;action=accept", "action=accept;action=drop proto=udp", true)]
    public void Rules_that_only_stop_more_do_not_widen(string before, string after, bool widens) =>
        Assert.Equal(widens, FirewallReach.MayWiden(Split(before), Split(after)));

    [Fact]
    public void What_is_said_not_to_widen_lets_nothing_new_through() => Gen.Select(Rules, Rules).Sample((before, after) =>
        FirewallReach.MayWiden(before, after) || Connections.All(connection => !Passes(after, connection) || Passes(before, connection)));

    private static IEnumerable<string[]> Connections =>
        [["", " proto=tcp", " proto=tcp dstports=1-1"], ["", " proto=tcp", " proto=tcp dstports=2-2"], ["", " proto=tcp"], ["", " proto=udp"], [""]];

    private static string[] Split(string rules) => rules.Length == 0 ? [] : rules.Split(';');

    /// <param name="rules">In order.</param>
    /// <param name="connection">All that matches it.</param>
    private static bool Passes(string[] rules, string[] connection)
    {
        string? first = Array.Find(rules, rule => connection.Contains(rule.Replace("action=drop", "", StringComparison.Ordinal).Replace("action=accept", "", StringComparison.Ordinal)));
        return first?.StartsWith("action=accept", StringComparison.Ordinal) == true;
    }
}
