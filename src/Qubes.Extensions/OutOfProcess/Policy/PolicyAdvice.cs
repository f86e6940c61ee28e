namespace Qubes.Extensions.OutOfProcess.Policy;

/// <summary>What policy says about a call.</summary>
/// <param name="Decision"><c>allow</c>, <c>ask</c> or <c>deny</c>.</param>
/// <param name="Reason">One line for people.</param>
/// <param name="File">Where the rule that decides stands; null if none does.</param>
/// <param name="Line">Its line there.</param>
/// <param name="Target">Where an allowed call goes.</param>
/// <param name="Targets">What a person would choose from.</param>
/// <param name="DefaultTarget">Which of them is offered first.</param>
/// <param name="User">As whom the service runs, if the rule says so.</param>
public sealed record PolicyAdvice(
    string Decision, string Reason, string? File, int? Line, string? Target, IReadOnlyList<string> Targets, string? DefaultTarget, string? User);
