using Qubes.Extensions.OutOfProcess.Configuration;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>What happens to an event when an extension cannot be asked: refused if its file says it is required, otherwise nothing.</summary>
internal static class RequiredConsent
{
    public static bool Requires(this ExtensionDefinition definition, string eventName) => definition.Required.Any(p => p.Matches(eventName));

    /// <exception cref="QubesException">Its consent is required.</exception>
    public static void RefuseIfRequired(this ExtensionDefinition definition, QubesEvent happened)
    {
        if (!happened.IsPre || !definition.Requires(happened.Name))
        {
            return;
        }

        string text = $"Extension '{definition.Name}' has to agree to {happened.Name} and does not answer";
        throw CallableEvents.IsPermission(happened.Name) ? QubesErrors.PermissionDenied(text) : QubesErrors.General(text);
    }
}
