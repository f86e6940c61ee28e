using Qubes.Protocol.Errors;

namespace Qubes.Extensions.Block;

/// <summary>Names for attached disks: clients know <c>xvdi</c>, on the guest's virtio bus it is <c>vdi</c>.</summary>
internal static class FrontendNames
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyz";

    /// <summary>The names in the order in which they are given: the first ones are those of a qube's own volumes, so they come last.</summary>
    private static readonly string[] InOrder =
    [
        .. Letters[8..].Select(c => $"{c}"),
        .. Letters.SelectMany(first => Letters.Select(second => $"{first}{second}")),
        .. Letters[..8].Select(c => $"{c}"),
    ];

    /// <summary>The target on the guest's bus.</summary>
    public static string TargetOf(string frontendDevice) => "vd" + BlockOptions.Letters(frontendDevice);

    /// <summary>The name asked for, or the next free one.</summary>
    /// <exception cref="QubesException">It is taken, or all are.</exception>
    public static string Choose(BlockOptions options, Func<string, bool> isTargetTaken)
    {
        if (options.FrontendDevice is { } wanted)
        {
            return isTargetTaken(TargetOf(wanted)) ? throw QubesErrors.Value($"frontend-dev {wanted} is in use") : wanted;
        }

        // The place where a person looks for a drive.
        IEnumerable<string> letters = options.IsCdrom ? InOrder.Prepend("d") : InOrder;
        return letters.Select(l => "xvd" + l).FirstOrDefault(name => !isTargetTaken(TargetOf(name)))
            ?? throw QubesErrors.General("No free name for the device in the qube");
    }
}
