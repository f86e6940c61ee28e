using Qubes.Client;
using Qvm.CommandLine;
using Qvm.Output;

namespace Qvm.Tools.Volumes;

/// <summary><c>qvm-volume list</c> and <c>info</c>.</summary>
internal static class VolumeQueries
{
    private static readonly string[] Shown =
        ["pool", "vid", "rw", "source", "save_on_stop", "snap_on_start", "size", "usage", "revisions_to_keep", "ephemeral", "is_outdated"];

    public static async Task<int> ListAsync(ToolContext context, IReadOnlyList<string> names, ParsedArguments arguments)
    {
        IReadOnlyList<string> pools = arguments.All("pool");
        List<string[]> rows = [];
        foreach (QubeInfo info in await SelectAsync(context, names, arguments))
        {
            Qube qube = context.App[info.Name];
            foreach (string volume in await qube.ListVolumesAsync())
            {
                Dictionary<string, string> values = (await qube.GetVolumeInfoAsync(volume)).ToDictionary(StringComparer.Ordinal);
                string pool = values.GetValueOrDefault("pool", "");
                if (pools.Count == 0 || pools.Contains(pool))
                {
                    string possible = (await qube.ListRevisionsAsync(volume)).Length > 0 ? "Yes" : "No";
                    rows.Add([$"{pool}:{values.GetValueOrDefault("vid", "")}", info.Name, volume, possible]);
                }
            }
        }

        rows = [.. rows.OrderBy(r => r[0], StringComparer.Ordinal)];
        if (!arguments.Has("full") && !Console.IsOutputRedirected && ReferenceEquals(context.Out, Console.Out))
        {
            // People see at a glance who shares a volume; programs get every row whole.
            for (int i = rows.Count - 1; i > 0; i--)
            {
                rows[i][0] = rows[i][0] == rows[i - 1][0] ? "" : rows[i][0];
            }
        }

        await context.Out.WriteAsync(Table.Format([["POOL:VOLUME", "VMNAME", "VOLUME_NAME", "REVERT_POSSIBLE"], .. rows]));
        return 0;
    }

    public static async Task<int> InfoAsync(ToolContext context, IReadOnlyList<string> words)
    {
        if (words.Count is 0 or > 2)
        {
            throw new UsageException("info takes VM:VOLUME and perhaps a PROPERTY");
        }

        VolumeReference volume = await VolumeReference.FindAsync(context, words[0]);
        Dictionary<string, string> info = await volume.InfoAsync();
        if (words.Count == 2)
        {
            return await OneAsync(context, volume, info, words[1]);
        }

        if (info.GetValueOrDefault("revisions_to_keep") == "-1")
        {
            info["revisions_to_keep"] = "-1 (snapshot disabled)";
        }

        await context.Out.WriteAsync(Table.Format(Shown.Where(info.ContainsKey).Select(key => (string[])[key, info[key]])));
        string[] revisions = await volume.Qube.ListRevisionsAsync(volume.Name);
        await context.Out.WriteLineAsync(revisions.Length == 0
            ? "List of available revisions (for revert): none"
            : "List of available revisions (for revert):\n" + string.Join('\n', revisions.Select(r => "  " + r)));
        return 0;
    }

    private static async Task<int> OneAsync(ToolContext context, VolumeReference volume, Dictionary<string, string> info, string property)
    {
        if (property == "revisions")
        {
            foreach (string revision in await volume.Qube.ListRevisionsAsync(volume.Name))
            {
                await context.Out.WriteLineAsync(revision);
            }

            return 0;
        }

        await context.Out.WriteLineAsync(
            info.TryGetValue(property, out string? value) ? value : throw new ToolException($"No such property: {property}"));
        return 0;
    }

    private static async Task<IReadOnlyList<QubeInfo>> SelectAsync(ToolContext context, IReadOnlyList<string> names, ParsedArguments arguments)
    {
        IReadOnlyList<QubeInfo> known = await context.App.ListQubesAsync();
        IReadOnlyList<string> excluded = arguments.All("exclude");
        if (arguments.Has("all") && names.Count > 0)
        {
            throw new UsageException("argument VMNAME: not allowed with argument --all");
        }

        if (excluded.Count > 0 && !arguments.Has("all"))
        {
            throw new UsageException("--exclude can only be used with --all");
        }

        foreach (string name in names.Concat(excluded))
        {
            if (known.All(q => q.Name != name))
            {
                throw new UsageException($"no such domain: '{name}'");
            }
        }

        return [.. known.Where(q => names.Count > 0 ? names.Contains(q.Name) : !excluded.Contains(q.Name))];
    }
}
