using Qubes.Policy.Evaluation;
using Qubes.Policy.SystemState;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Prompting;

/// <summary>
/// What is said to the policy agent. <c>policy.Ask</c>:
/// <code>
/// {"source": NAME, "service": SERVICE, "argument": "+…", "targets": [NAME...], "default_target": NAME or "",
///  "icons": {NAME: ICON, ...}}      answered by  allow:TARGET  or  deny
/// </code>
/// <c>policy.Notify</c>:
/// <code>
/// {"resolution": "allow"|"deny", "service": SERVICE, "argument": "+…", "source": NAME, "target": NAME}    answered by nothing
/// </code>
/// </summary>
public static class AgentMessages
{
    /// <summary>The service that asks.</summary>
    public const string AskService = "policy.Ask";

    /// <summary>The service that tells.</summary>
    public const string NotifyService = "policy.Notify";

    /// <summary>The question about a call.</summary>
    public static string Ask(CallAsked asked)
    {
        PolicyRequest request = asked.Request;
        PythonJson json = new PythonJson().Open('{')
            .Key("source").Value(request.Source.Text)
            .Key("service").Value(request.Service)
            .Key("argument").Value(request.Argument)
            .Key("targets").Values(asked.Targets)
            .Key("default_target").Value(asked.DefaultTarget ?? "")
            .Key("icons").Open('{');
        foreach (QubeInfo qube in request.System.Qubes)
        {
            json.Key(qube.Name).Value(qube.Icon);
        }

        foreach (QubeInfo template in request.System.Qubes.Where(q => q.TemplateForDispvms))
        {
            json.Key(TokenParser.DispVmPrefix + template.Name).Value(template.Icon.Replace("app", "disp", StringComparison.Ordinal));
        }

        return json.Close('}').Close('}').ToString();
    }

    /// <summary>The news about a call that was decided.</summary>
    public static string Notify(bool isAllowed, PolicyCall call, string source, string target) => new PythonJson().Open('{')
        .Key("resolution").Value(isAllowed ? "allow" : "deny")
        .Key("service").Value(call.Service)
        .Key("argument").Value(call.Argument)
        .Key("source").Value(source)
        .Key("target").Value(target)
        .Close('}').ToString();
}
