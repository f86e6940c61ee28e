namespace Qubes.Protocol.Agents;

/// <summary>A person chooses where a call goes, or who gets a device. Answered by <c>allow:TARGET</c> or <c>deny</c>.</summary>
/// <param name="Source">The calling qube, or the one that has the device.</param>
/// <param name="Name">The service, or the description of the device.</param>
/// <param name="Argument">The service's argument with its <c>+</c>, or the device's port.</param>
/// <param name="Targets">What there is to choose from: names, and <c>@dispvm:NAME</c> for a new disposable.</param>
/// <param name="DefaultTarget">The one of them that is proposed; null if none is.</param>
/// <param name="IsDevice">It is about a device.</param>
public sealed record AgentQuestion(
    string Source, string Name, string Argument, IReadOnlyList<string> Targets, string? DefaultTarget, bool IsDevice)
    : AgentRequest(Source)
{
    /// <summary>The answer of a person who refuses.</summary>
    public const string Refusal = "deny";

    /// <summary>The answer of a person who agrees.</summary>
    public static string Consent(string target) => "allow:" + target;
}
