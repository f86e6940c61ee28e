using Qubes.Qrexec.Daemon;

namespace Qubes.Fuzz.Targets;

/// <summary>Answers of the policy: nothing but a whole, well-formed permission allows a call.</summary>
internal sealed class PolicyAnswerTarget : IFuzzTarget
{
    public string Name => "qrexec-policy-answer";

    public IEnumerable<byte[]> Seeds =>
    [
        "result=deny\n"u8.ToArray(),
        "result=allow\nuser=DEFAULT\ntarget=work\nrequested_target=@default\nautostart=True\n"u8.ToArray(),
        "result=allow\nuser=u\ntarget=@dispvm:d\ntarget_uuid=@dispvm:uuid:x\nrequested_target=@dispvm\nautostart=False\nservice=a+b\npolicy_source=c"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (PolicyAnswer.TryParse(input) is not PolicyAllowed)
        {
            return;
        }

        bool hasAll = input.Length <= PolicyAnswer.MaxLength && !input.Contains((byte)0) && (input.StartsWith("result=allow"u8) || input.IndexOf("\nresult=allow"u8) >= 0);
        foreach (byte[] key in (byte[][])["user="u8.ToArray(), "target="u8.ToArray(), "requested_target="u8.ToArray(), "autostart="u8.ToArray()])
        {
            hasAll &= input.IndexOf(key) >= 0;
        }

        if (!hasAll)
        {
            throw new InvalidOperationException("allowed without a whole permission");
        }
    }
}
