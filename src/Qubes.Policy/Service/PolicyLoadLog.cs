using Microsoft.Extensions.Logging;
using Qubes.Policy.Loading;
using Qubes.Policy.Syntax;

namespace Qubes.Policy.Service;

/// <summary>Tells the log about each policy that comes into force.</summary>
public static class PolicyLoadLog
{
    /// <summary>One line for a good policy; one for each error of a bad one. To be given to a <see cref="PolicyStore"/>.</summary>
    public static void Write(ILogger logger, LoadedPolicy policy)
    {
        foreach (PolicyDiagnostic error in policy.Errors)
        {
            PolicyLog.LoadFailed(logger, error.ToString());
        }

        foreach (string warning in policy.Warnings)
        {
            PolicyLog.LoadWarning(logger, warning);
        }

        if (policy.IsValid)
        {
            PolicyLog.Loaded(logger, policy.Rules.Rules.Length, policy.Files.Length);
        }
    }
}
