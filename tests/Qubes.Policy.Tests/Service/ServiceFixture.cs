using Qubes.Policy.Loading;
using Qubes.Policy.Service;
using Qubes.Policy.SystemState;

namespace Qubes.Policy.Tests.Service;

/// <summary>A policy service over rules in memory.</summary>
internal sealed class ServiceFixture
{
    public ServiceFixture(params string[] rules)
    {
        Source = new MemoryPolicySource().With("30-user.policy", string.Join('\n', rules));
        Policies = new PolicyStore(Source, TimeProvider.System);
        Service = new PolicyService(Policies, SystemAsync, Agent, Log);
    }

    public MemoryPolicySource Source { get; }

    public PolicyStore Policies { get; }

    public PolicyService Service { get; init; }

    public TestAgent Agent { get; } = new();

    public TestLog Log { get; } = new();

    public SystemInfo System { get; set; } = TestSystem.Info;

    public Exception? SystemError { get; set; }

    public ValueTask<SystemInfo> SystemAsync(CancellationToken cancellationToken) =>
        SystemError is { } error ? ValueTask.FromException<SystemInfo>(error) : ValueTask.FromResult(System);

    public ValueTask<string> DecideAsync(
        string source, string target, string service = "svc.Test+arg", bool justEvaluate = false, bool assumeYes = false, string claimed = "") =>
        Service.DecideAsync(
            new PolicyQuery(new Policy.Evaluation.PolicyCall(source, target, service, claimed), justEvaluate, assumeYes), CancellationToken.None);
}
