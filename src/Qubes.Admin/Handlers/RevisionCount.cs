using Qubes.Protocol.Errors;

namespace Qubes.Admin.Handlers;

/// <summary>Numbers of revisions to keep: -1 for no snapshots at all, 0 for none kept.</summary>
internal static class RevisionCount
{
    public static int Checked(long value) => value is >= -1 and <= int.MaxValue
        ? (int)value
        : throw QubesErrors.Value("Invalid value for revisions_to_keep");
}
