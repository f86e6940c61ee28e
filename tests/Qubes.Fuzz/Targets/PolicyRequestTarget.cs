using Qubes.Policy.Service;

namespace Qubes.Fuzz.Targets;

/// <summary>Requests on the policy sockets: reading never throws, and what is accepted is written as a request that means the same.</summary>
internal sealed class PolicyRequestTarget : IFuzzTarget
{
    public string Name => "policy-request";

    public IEnumerable<byte[]> Seeds { get; } =
    [
        "source=a\nintended_target=b\nservice_and_arg=s+x\n\n"u8.ToArray(),
        "service_and_arg=s\nintended_target=\nsource=a\nrequested_source=far\njust_evaluate=yes\nassume_yes_for_ask=no"u8.ToArray(),
        "policy.EvalSimple+svc+arg caller keyword adminvm\0source\0target"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (PolicyQueryCodec.TryParse(input, out PolicyQuery? query, out _)
            && (!PolicyQueryCodec.TryParse(PolicyQueryCodec.Write(query), out PolicyQuery? again, out _) || again != query))
        {
            throw new InvalidOperationException("writing changes a request");
        }

        if (EvaluationRequest.TryParse("policy.EvalSimple", input, out EvaluationRequest? request)
            && (request.Service.Length == 0 || request.Service[0] == '+' || request.Source.Length > 31 || request.Target.Length > 63))
        {
            throw new InvalidOperationException("an evaluation was accepted that is none");
        }
    }
}
