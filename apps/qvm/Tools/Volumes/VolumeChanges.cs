using System.Globalization;
using Qvm.CommandLine;
using Qvm.Output;

namespace Qvm.Tools.Volumes;

/// <summary><c>qvm-volume config</c>, <c>resize</c> and <c>revert</c>.</summary>
internal static class VolumeChanges
{
    public static async Task<int> ConfigureAsync(ToolContext context, IReadOnlyList<string> words)
    {
        if (words is not [string reference, string property, string value])
        {
            throw new UsageException("config takes VM:VOLUME, PROPERTY and VALUE");
        }

        VolumeReference volume = await VolumeReference.FindAsync(context, reference);
        if (property is not ("rw" or "revisions_to_keep" or "ephemeral"))
        {
            throw new ToolException($"Invalid property: {property}");
        }

        await volume.Qube.CallAsync("admin.vm.volume.Set." + property, volume.Name, value);
        return 0;
    }

    public static async Task<int> ResizeAsync(ToolContext context, IReadOnlyList<string> words, bool force)
    {
        if (words is not [string reference, string sizeText])
        {
            throw new UsageException("resize takes VM:VOLUME and SIZE");
        }

        VolumeReference volume = await VolumeReference.FindAsync(context, reference);
        long size = SizeText.Parse(sizeText);
        if (!force && long.TryParse((await volume.InfoAsync()).GetValueOrDefault("size"), NumberStyles.None, CultureInfo.InvariantCulture, out long current)
            && size < current)
        {
            throw new ToolException(
                $"Refusing to shrink volume {volume} from {current} to {size} bytes. "
                + "Data beyond the new end would be lost: shrink the file system in the qube first, then use --force.");
        }

        await volume.Qube.CallAsync("admin.vm.volume.Resize", volume.Name, size.ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    public static async Task<int> RevertAsync(ToolContext context, IReadOnlyList<string> words)
    {
        if (words.Count is 0 or > 2)
        {
            throw new UsageException("revert takes VM:VOLUME and perhaps a REVISION");
        }

        VolumeReference volume = await VolumeReference.FindAsync(context, words[0]);
        string revision = words.Count == 2 ? words[1]
            : await volume.Qube.ListRevisionsAsync(volume.Name) is [.., string newest] ? newest
            : throw new ToolException("No snapshots available");
        await volume.Qube.CallAsync("admin.vm.volume.Revert", volume.Name, revision);
        return 0;
    }
}
