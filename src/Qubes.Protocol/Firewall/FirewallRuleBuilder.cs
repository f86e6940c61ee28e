using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;

namespace Qubes.Protocol.Firewall;

/// <summary>Puts a rule together from options in any order, each at most once.</summary>
public sealed class FirewallRuleBuilder
{
    private FirewallAction? _action;
    private FirewallHost? _host;
    private FirewallProtocol? _protocol;
    private bool _isForDns;
    private FirewallPorts? _ports;
    private byte? _icmpType;
    private long? _expire;
    private string? _comment;
    private bool _hasComment;

    /// <summary>Takes one option. The names of the destination mean the same: its kind is seen from its text.</summary>
    /// <exception cref="QubesException"><c>QubesValueError</c>.</exception>
    public void Set(string untrustedKey, string untrustedValue)
    {
        ArgumentNullException.ThrowIfNull(untrustedValue);
        if (untrustedValue.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw QubesErrors.Value($"Option {PythonText.Repr(untrustedKey)} contains illegal characters");
        }

        switch (untrustedKey)
        {
            case "action":
                Once(_action is null, untrustedKey);
                _action = FirewallText.ParseAction(untrustedValue);
                break;
            case "dsthost" or "dst4" or "dst6" or "dstname":
                Once(_host is null, untrustedKey);
                _host = FirewallHost.Parse(untrustedValue);
                break;
            case "proto":
                Once(_protocol is null, untrustedKey);
                _protocol = FirewallText.ParseProtocol(untrustedValue);
                break;
            case "specialtarget":
                Once(!_isForDns, untrustedKey);
                _isForDns = FirewallText.ParseSpecialTarget(untrustedValue);
                break;
            case "dstports":
                Once(_ports is null, untrustedKey);
                _ports = FirewallPorts.Parse(untrustedValue);
                break;
            case "icmptype":
                Once(_icmpType is null, untrustedKey);
                _icmpType = FirewallText.ParseIcmpType(untrustedValue);
                break;
            case "expire":
                Once(_expire is null, untrustedKey);
                _expire = FirewallText.ParseExpire(untrustedValue);
                break;
            case "comment":
                Once(!_hasComment, untrustedKey);
                _comment = FirewallText.ParseComment(untrustedValue);
                _hasComment = true;
                break;
            default:
                throw QubesErrors.Value($"Unknown firewall option: {PythonText.Repr(untrustedKey)}");
        }
    }

    /// <exception cref="QubesException"><c>QubesValueError</c>: the options make no rule.</exception>
    public FirewallRule Build() => new FirewallRule
    {
        Action = _action ?? throw QubesErrors.Value("missing action="),
        Host = _host,
        Protocol = _protocol,
        IsForDns = _isForDns,
        Ports = _ports,
        IcmpType = _icmpType,
        Expire = _expire,
        Comment = _comment,
    }.Verified();

    private static void Once(bool isFirst, string key)
    {
        if (!isFirst)
        {
            throw QubesErrors.Value($"Option {PythonText.Repr(key)} given twice");
        }
    }
}
