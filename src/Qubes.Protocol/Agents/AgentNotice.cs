namespace Qubes.Protocol.Agents;

/// <summary>A person is told of a call that was decided. Answered by nothing.</summary>
/// <param name="Source">The calling qube.</param>
/// <param name="Resolution"><c>allow</c>, <c>deny</c> or <c>fail</c>.</param>
/// <param name="Service">The service called.</param>
/// <param name="Argument">Its argument, with its <c>+</c>.</param>
/// <param name="Target">Where the call went, or was to go.</param>
public sealed record AgentNotice(string Source, string Resolution, string Service, string Argument, string Target) : AgentRequest(Source);
