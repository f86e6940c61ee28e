using Qubes.Admin.Limits;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Permissions;

/// <summary>
/// The one place where it is judged whether a caller may have the qube it makes, or is handed, as that qube is in the end: with all
/// that it took from its template and from handlers. Called within the change, before anything of it is durable or seen. What cannot be
/// told to be the caller's is refused.
/// </summary>
internal static class CreationAuthority
{
    private const string CreatedBy = "created-by-";
    private const string DisposableCreatedBy = "disp-created-by-";

    /// <summary>Marks the qube as the creator's and judges it.</summary>
    /// <param name="gate">Knows how many disposables the creator may have.</param>
    /// <param name="creator">Who calls.</param>
    /// <param name="created">The qube as it is to be.</param>
    /// <exception cref="PermissionDeniedException">It would not be the creator's alone.</exception>
    /// <exception cref="QubesException"><c>QubesRateLimitedError</c>: the creator has as many disposables as it may.</exception>
    public static void Authorise(CallerGate gate, Qube creator, Qube created)
    {
        if (!creator.IsInCollection)
        {
            throw QubesErrors.PermissionDenied($"'{creator.Name}' is gone");
        }

        created.Tags.Add(TagName.Parse(CreatedBy + TagOf(creator)));
        if (created is DispVM { AutoCleanup: true })
        {
            gate.RequireDisposable(creator);
            created.Tags.Add(TagName.Parse(DisposableCreatedBy + TagOf(creator)));
        }

        RefuseOthersClaims(creator, created);
    }

    /// <summary>These tags give whoever they name rights over the qube: a new one has only its creator's.</summary>
    private static void RefuseOthersClaims(Qube creator, Qube created)
    {
        foreach (string tag in created.Tags.All)
        {
            string? claimant = tag.StartsWith(CreatedBy, StringComparison.Ordinal) ? tag[CreatedBy.Length..]
                : tag.StartsWith(DisposableCreatedBy, StringComparison.Ordinal) ? tag[DisposableCreatedBy.Length..]
                : null;
            if (claimant is not null && claimant != TagOf(creator))
            {
                throw QubesErrors.PermissionDenied($"the new qube has the tag '{tag}', which is not its creator's");
            }
        }
    }

    /// <summary>Tags hold no dot, which a qube's name may: it is written as an underscore.</summary>
    private static string TagOf(Qube creator) => creator.Name.Value.Replace('.', '_');
}
