using Qubes.Admin.Calls;
using Qubes.Admin.Permissions;
using Qubes.Lifecycle.Disposables;
using Qubes.Model.Classes;
using Qubes.Model.Properties;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Handlers;

/// <summary>Disposables nobody names.</summary>
internal static class DisposableHandlers
{
    private const string Preload = "preload";

    // argument: empty or 'preload'; payload: empty or 'uuid'; reply: <name>, or 'uuid:' <uuid>, or with 'preload' nothing
    public static async ValueTask CreateAsync(AdminCall call)
    {
        if (call.UntrustedArgument is not ("" or Preload))
        {
            throw QubesErrors.ArgumentNotIn($"'', '{Preload}'");
        }

        bool byUuid = call.UntrustedPayload.AsSpan().SequenceEqual("uuid"u8);
        if (call.UntrustedPayload.Length > 0 && !byUuid)
        {
            throw QubesErrors.Protocol("Invalid payload, expected empty string or 'uuid'");
        }

        Qube? template = call.Destination is AdminVM ? DefaultOf(call.Source) : call.Destination;
        call.Permit(("dispvm_template", template));
        DisposableService disposables = call.Services.Disposables;
        if (call.UntrustedArgument == Preload)
        {
            await disposables.PreloadAsync(template, "autostart was requested");
            return;
        }

        DispVM disposable = await disposables.CreateAsync(
            template, call.Origin, created => CreationAuthority.Authorise(call.Services.Gate, call.Source, created));
        call.Write(byUuid ? $"{QubeUuid.WirePrefix}{disposable.Uuid}" : disposable.Name.Value);
    }

    /// <summary>The template of disposables of whoever calls; null if it has none.</summary>
    private static Qube? DefaultOf(Qube caller) =>
        caller.Properties.TryFind("default_dispvm", out PropertyDefinition? property) && property.TryGetObject(caller, out object? value)
            ? value as Qube
            : null;
}
