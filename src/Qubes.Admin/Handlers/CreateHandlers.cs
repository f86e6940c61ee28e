using Qubes.Admin.Calls;
using Qubes.Lifecycle;
using Qubes.Linux;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

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

        Qube? template = request.UntrustedTemplate is { } name ? call.App.Domains[name] : null;
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
        qube.Tags.Add(TagName.Parse("created-by-" + Creator(call.Source)));
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

        await call.Services.Lifecycle.RemoveAsync(qube, async () =>
        {
            using ModelChange change = call.BeginChange();
            call.App.Domains.Remove(qube);
            await call.CommitAsync(change);
        });
    }

    /// <summary>Tags hold no dot, which a qube's name may: it is written as an underscore.</summary>
    private static string Creator(Qube source) => source.Name.Value.Replace('.', '_');

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
