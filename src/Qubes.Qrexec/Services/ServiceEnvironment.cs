using System.Collections;
using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Services;

/// <summary>The environment variables by which an executable service learns of its call.</summary>
public static class ServiceEnvironment
{
    private const string Prefix = "QREXEC";

    /// <summary>
    /// Changes to the inherited environment: every <c>QREXEC*</c> variable goes, except the two that are settings, and those of
    /// the call come. A null value removes the variable.
    /// </summary>
    /// <exception cref="ServiceException">The command does not have exactly two or four words.</exception>
    public static Dictionary<string, string?> ChangesFor(QrexecServiceCall call)
    {
        Dictionary<string, string?> changes = [];
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            string name = (string)entry.Key;
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && name is not (ServicePaths.ServicesVariable or "QREXEC_AGENT_PID"))
            {
                changes[name] = null;
            }
        }

        foreach ((string name, string value) in VariablesOf(call))
        {
            changes[name] = value;
        }

        return changes;
    }

    /// <summary>The variables that describe <paramref name="call"/>.</summary>
    /// <exception cref="ServiceException">The command does not have exactly two or four words.</exception>
    public static Dictionary<string, string> VariablesOf(QrexecServiceCall call)
    {
        if (!call.TryGetTarget(out string? type, out string? target))
        {
            throw ServiceException.Problem("a call of a program must have two or four words");
        }

        Dictionary<string, string> variables = new(StringComparer.Ordinal)
        {
            ["QREXEC_SERVICE_FULL_NAME"] = ByteText.Decode(call.Descriptor),
            ["QREXEC_REMOTE_DOMAIN"] = ByteText.Decode(call.Source),
            ["QREXEC_REQUESTED_TARGET_TYPE"] = type is null ? "" : ByteText.Decode(type),
        };
        if (call.Argument is not null)
        {
            variables["QREXEC_SERVICE_ARGUMENT"] = ByteText.Decode(call.Argument);
        }

        switch (type)
        {
            case "name":
                variables["QREXEC_REQUESTED_TARGET"] = ByteText.Decode(target!);
                break;
            case "keyword":
                variables["QREXEC_REQUESTED_TARGET_KEYWORD"] = ByteText.Decode(target!);
                break;
            case null:
                break;
            default:
                throw ServiceException.Problem("unknown type of target");
        }

        return variables;
    }
}
