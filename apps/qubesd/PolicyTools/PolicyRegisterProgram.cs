using Qubes.Linux;
using Qubes.Policy.Administration;

namespace Qubesd.PolicyTools;

/// <summary>
/// The service <c>policy.RegisterArgument</c>, started by qrexec: the caller is the backend, the requested target the frontend, the argument the service, and
/// standard input what the frontend may call it with. The caller gets nothing but the exit status; the reason of a refusal stands in the log.
/// </summary>
internal static class PolicyRegisterProgram
{
    public const string Name = "policy.RegisterArgument";

    private const int Refused = 1;

    public static async Task<int> RunAsync(Stream input)
    {
        QubesPaths paths = new();
        ServiceLog log = new(paths.Under("var/log/qubes/policy-register.log"));
        string backend = Variable("QREXEC_REMOTE_DOMAIN");
        string frontend = Variable("QREXEC_REQUESTED_TARGET");
        string service = Variable("QREXEC_SERVICE_ARGUMENT");

        // One byte more than can be right tells that it is too long.
        byte[] untrustedArgument = new byte[65];
        int length = await input.ReadAtLeastAsync(untrustedArgument, untrustedArgument.Length, throwOnEndOfStream: false);
        try
        {
            new PolicyAdministrator(paths).Register(backend, frontend, service, untrustedArgument.AsSpan(0, length));
            log.Write($"{service}: {frontend} -> {backend} argument allowed");
            return 0;
        }
        catch (Exception failure) when (failure is PolicyAdministrationException or IOException or UnauthorizedAccessException)
        {
            log.Write($"{service}: {frontend} -> {backend} refused: {failure.Message}");
            return Refused;
        }
    }

    private static string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? "";
}
