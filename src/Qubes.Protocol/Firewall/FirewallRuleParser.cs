using System.Text;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;

namespace Qubes.Protocol.Firewall;

/// <summary>Reads rules as API clients write them.</summary>
public static class FirewallRuleParser
{
    /// <summary>The guest's keys have four digits.</summary>
    public const int MaxRules = 10_000;

    private const string CommentKey = "comment=";

    // What Python's strip() takes off ASCII text.
    private const string Blanks = " \t\n\r\v\f\u001c\u001d\u001e\u001f";

    // One rule a line, ASCII; see PythonLines for what ends a line. A blank line is no rule.

    /// <summary>Reads the payload of <c>admin.vm.firewall.Set</c>.</summary>
    /// <exception cref="QubesException">
    /// <c>ProtocolError</c> for other than ASCII text, <c>QubesValueError</c> for what is no rule.
    /// </exception>
    public static IReadOnlyList<FirewallRule> ParsePayload(ReadOnlySpan<byte> untrustedPayload)
    {
        if (!Ascii.IsValid(untrustedPayload))
        {
            throw QubesErrors.Protocol("Rules contains non-ASCII characters");
        }

        List<FirewallRule> rules = [];
        foreach (string untrustedLine in PythonLines.Split(Encoding.ASCII.GetString(untrustedPayload)))
        {
            if (rules.Count == MaxRules)
            {
                throw QubesErrors.Value($"More than {MaxRules} rules");
            }

            rules.Add(Parse(untrustedLine));
        }

        return rules;
    }

    // rule   = option *( SP option ) [ SP "comment=" text ]      exactly one SP between options, in any order
    // option = "action=" … / "proto=" … / ("dsthost=" / "dst4=" / "dst6=" / "dstname=") … / "dstports=" … / "icmptype=" …
    //        / "specialtarget=" … / "expire=" …                  each once
    // The comment begins at the first "comment=" and takes the rest of the line.

    /// <summary>Reads one rule.</summary>
    /// <exception cref="QubesException"><c>QubesValueError</c>.</exception>
    public static FirewallRule Parse(string untrustedLine)
    {
        ArgumentNullException.ThrowIfNull(untrustedLine);
        FirewallRuleBuilder builder = new();
        int comment = untrustedLine.IndexOf(CommentKey, StringComparison.Ordinal);
        if (comment >= 0)
        {
            builder.Set("comment", untrustedLine[(comment + CommentKey.Length)..]);
        }

        string options = (comment < 0 ? untrustedLine : untrustedLine[..comment]).Trim(Blanks.ToCharArray());
        foreach (string option in options.Split(' '))
        {
            int equals = option.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                throw QubesErrors.Value($"Not a firewall option: {PythonText.Repr(option)}");
            }

            builder.Set(option[..equals], option[(equals + 1)..]);
        }

        return builder.Build();
    }
}
