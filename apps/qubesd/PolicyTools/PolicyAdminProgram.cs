using Qubes.Linux;
using Qubes.Policy.Administration;

namespace Qubesd.PolicyTools;

/// <summary>
/// The services <c>policy.*</c>, started by qrexec, which tells the call in its environment. Standard input is the payload. A refusal is told on
/// standard error, with status 1; status 2 is an error of the host, which is the administrator's business and stands in the log.
/// </summary>
internal static class PolicyAdminProgram
{
    /// <summary>The name of upstream's program, which other links may lead to.</summary>
    public const string Name = "qubes-policy-admin";

    private const int Refused = 1;
    private const int Failed = 2;

    public static async Task<int> RunAsync(Stream input, Stream output, TextWriter error)
    {
        QubesPaths paths = new();
        ServiceLog log = new(paths.Under("var/log/qubes/policy-admin.log"));
        string call = Environment.GetEnvironmentVariable("QREXEC_SERVICE_FULL_NAME") ?? "";
        string source = Environment.GetEnvironmentVariable("QREXEC_REMOTE_DOMAIN") ?? "";
        if (call.Length == 0 || source.Length == 0)
        {
            await error.WriteAsync("This is a service of qrexec: it needs QREXEC_SERVICE_FULL_NAME and QREXEC_REMOTE_DOMAIN");
            return Failed;
        }

        // service [ '+' argument ]
        int plus = call.IndexOf('+', StringComparison.Ordinal);
        (string service, string untrustedArgument) = plus < 0 ? (call, "") : (call[..plus], call[(plus + 1)..]);
        string what = $"{service}+{untrustedArgument} ({source})";
        try
        {
            byte[] answer = new PolicyAdministrator(paths).Call(service, untrustedArgument, await ReadAsync(input));
            log.Write(what);
            await output.WriteAsync(answer);
            return 0;
        }
        catch (PolicyAdministrationException refused)
        {
            log.Write($"{what}: error: {refused.Message}");
            await error.WriteAsync($"{refused.WireName} {refused.Message}");
            return Refused;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            log.Write($"{what}: {failure.Message}");
            await error.WriteAsync($"Internal error. See '{log.Path}' in dom0 for details.");
            return Failed;
        }
    }

    /// <summary>The payload, cut one byte after what can be right: a longer one is refused for its length.</summary>
    private static async Task<byte[]> ReadAsync(Stream input)
    {
        byte[] buffer = new byte[PolicyAdministrator.MaxPayload + 1];
        return buffer[..await input.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false)];
    }
}
