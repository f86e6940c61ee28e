using Qubes.Admin.Calls;
using Qubes.Admin.Permissions;
using Qubes.Lifecycle;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Handlers;

/// <summary>Making and removing qubes.</summary>
internal static class CreateHandlers
{
    public static async ValueTask CreateAsync(AdminCall call, QubeClass qubeClass, bool allowPool)
    {
        CreateRequest request = CreateRequest.Parse(call, qubeClass, allowPool);
        Permit(call, request);

        // Only now, with permission, does the caller learn what exists.
        if (call.App.Domains.IsNameTaken(request.Name!.Value))
        {
            throw QubesErrors.VMAlreadyExists(request.Name.Value);
        }

        Qube? template = request.UntrustedTemplate is { } name ? call.App.Domains.Find(name) : null;
        RequirePool(call, request.UntrustedPool);
        foreach (string pool in request.UntrustedPools.Values)
        {
            RequirePool(call, pool);
        }

        using ModelChange change = call.BeginChange();
        Qube qube = call.App.Domains.Create(new NewQube
        {
            Class = qubeClass,
            Name = request.Name.Value,
            Label = request.Label!,
            Template = template,
        });
        CreationAuthority.Authorise(call.Services.Gate, call.Source, qube);
        IQubeLifecycle lifecycle = call.Services.Lifecycle;
        await lifecycle.CreateOnDiskAsync(qube, request.UntrustedPool, request.UntrustedPools);
        await using Rollback rollback = new(call.Services.Logger);
        rollback.Push("data on disk", async () => await lifecycle.DiscardAsync(qube));
        await call.CommitAsync(change);
        rollback.Commit();
        await lifecycle.ConfirmAsync(qube);
    }

    public static async ValueTask RemoveAsync(AdminCall call)
    {
        call.Permit();
        Qube qube = call.Destination;
        if (qube is AdminVM)
        {
            throw QubesErrors.VMInUse(qube.Name, "'dom0' cannot be removed");
        }

        if (qube is QubesVM { IsHalted: true } and IDisposableTemplate && QubeDependencies.FindReferences(qube).Count == 0)
        {
            // Disposables that only wait go with their template, and before it: a crash in between must not leave them without one.
            await call.Services.Disposables.RemoveTemplateAsync((QubesVM)qube, () => RemoveAsync(call, qube));
            return;
        }

        await RemoveAsync(call, qube);
    }

    private static Task RemoveAsync(AdminCall call, Qube qube) => call.Services.Lifecycle.RemoveAsync(qube, async () =>
    {
        using ModelChange change = call.BeginChange();
        call.App.Domains.Remove(qube);
        await call.CommitAsync(change);
    });

    private static void Permit(AdminCall call, CreateRequest request)
    {
        if (request.UntrustedTemplate is { } template)
        {
            call.Permit(("pool", request.UntrustedPool), ("pools", request.UntrustedPools), ("name", request.Name!.Value.Value),
                ("label", request.Label), ("template", template));
        }
        else
        {
            call.Permit(("pool", request.UntrustedPool), ("pools", request.UntrustedPools), ("name", request.Name!.Value.Value),
                ("label", request.Label));
        }
    }

    private static void RequirePool(AdminCall call, string? untrustedPool)
    {
        if (untrustedPool is not null && !call.App.Pools.TryGet(untrustedPool, out _))
        {
            throw QubesErrors.General($"Unknown storage pool {untrustedPool}");
        }
    }
}
