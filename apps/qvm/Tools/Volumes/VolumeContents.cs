using System.Globalization;
using Qvm.CommandLine;

namespace Qvm.Tools.Volumes;

/// <summary><c>qvm-volume import</c>, <c>clone</c> and <c>clear</c>: what replaces a volume's content.</summary>
internal static class VolumeContents
{
    public static async Task<int> ImportAsync(ToolContext context, IReadOnlyList<string> words, string? sizeText, bool mayResize)
    {
        if (words is not [string reference, string path])
        {
            throw new UsageException("import takes VM:VOLUME and PATH");
        }

        long? given = sizeText is null ? null
            : long.TryParse(sizeText, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? bytes
            : throw new UsageException($"argument --size: invalid int value: '{sizeText}'");
        VolumeReference volume = await VolumeReference.FindAsync(context, reference);
        try
        {
            await using Stream data = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            long? size = !mayResize ? null
                : given ?? (data.CanSeek ? data.Length : throw new UsageException("the size of standard input is not known: give --size"));
            await volume.Qube.ImportVolumeAsync(volume.Name, data, size);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"Failed to import volume {volume}: {e.Message}");
        }
    }

    public static async Task<int> CloneAsync(ToolContext context, IReadOnlyList<string> words, bool force)
    {
        if (words is not [string from, string to])
        {
            throw new UsageException("clone takes two VM:VOLUME");
        }

        VolumeReference source = await VolumeReference.FindAsync(context, from);
        VolumeReference target = await VolumeReference.FindAsync(context, to);
        if (!await IsKeptAsync(source) || !await IsKeptAsync(target))
        {
            throw new ToolException("Volumes must be save_on_stop for cloning");
        }

        if (!force && !await IsConfirmedAsync(
            context, $"This will clone the data from {source} into {target}!\n(Data in {target} may be preserved in a revision.)", "Clone"))
        {
            return 0;
        }

        await target.Qube.CloneVolumeFromAsync(source.Qube, source.Name, target.Name);
        return 0;
    }

    public static async Task<int> ClearAsync(ToolContext context, IReadOnlyList<string> words, bool force)
    {
        if (words is not [string reference])
        {
            throw new UsageException("clear takes VM:VOLUME");
        }

        VolumeReference volume = await VolumeReference.FindAsync(context, reference);
        if (!force && !await IsConfirmedAsync(context, $"This will empty the volume!\n(Data in {volume} may be preserved in a revision.)", "Clear"))
        {
            return 0;
        }

        await volume.Qube.CallAsync("admin.vm.volume.Clear", volume.Name);
        return 0;
    }

    private static async Task<bool> IsKeptAsync(VolumeReference volume) => (await volume.InfoAsync()).GetValueOrDefault("save_on_stop") == "True";

    private static async Task<bool> IsConfirmedAsync(ToolContext context, string warning, string what)
    {
        await context.Out.WriteLineAsync(warning);
        if (await context.AskAsync("Are you sure? [y/N] ") is "y" or "Y")
        {
            return true;
        }

        await context.Out.WriteLineAsync($"{what} cancelled.");
        return false;
    }
}
