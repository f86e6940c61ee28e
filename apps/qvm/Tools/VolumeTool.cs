using System.Globalization;
using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;
using Qvm.Output;

namespace Qvm.Tools;

/// <summary><c>qvm-volume</c>: list, info and import.</summary>
internal sealed class VolumeTool : ITool
{
    private static readonly string[] Commands = ["list", "ls", "l", "info", "i", "import"];

    public string Name => "qvm-volume";

    public string Summary => "list volumes of domains, show one, or replace its content";

    public void Define(ArgumentParser parser)
    {
        parser.Positional("COMMAND", "command", "list [VMNAME ...], info VM:VOLUME [PROPERTY], or import VM:VOLUME PATH", Arity.Optional, Commands);
        parser.Positional("ARGUMENT", "words", "what the command works on; a PATH of - is standard input", Arity.Any);
        parser.Option("--pool -p", "pool", "list only volumes of this pool; may be repeated", placeholder: "POOL");
        parser.Option("--size", "size", "import: the size of the data in bytes, where it cannot be seen from the file", placeholder: "SIZE");
        parser.Flag("--no-resize", "no-resize", "import: keep the size of the volume");
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        IReadOnlyList<string> words = arguments.All("words");
        try
        {
            switch (arguments.Last("command"))
            {
                case "info" or "i":
                    return await InfoAsync(context, words);
                case "import":
                    return await ImportAsync(context, words, arguments);
                default:
                    return await ListAsync(context, words, arguments.All("pool"));
            }
        }
        catch (QubesException e)
        {
            context.PrintError(e.Message);
            return 1;
        }
    }

    private static async Task<int> ListAsync(ToolContext context, IReadOnlyList<string> names, IReadOnlyList<string> pools)
    {
        IReadOnlyList<QubeInfo> qubes = await context.App.ListQubesAsync();
        if (names.Count > 0)
        {
            qubes = [.. names.Select(n => qubes.FirstOrDefault(q => q.Name == n) ?? throw new UsageException($"no such domain: '{n}'"))];
        }

        List<string[]> rows = [];
        foreach (QubeInfo info in qubes)
        {
            Qube qube = context.App[info.Name];
            foreach (string volume in await qube.ListVolumesAsync())
            {
                Dictionary<string, string> values = (await qube.GetVolumeInfoAsync(volume)).ToDictionary(StringComparer.Ordinal);
                string pool = values.GetValueOrDefault("pool", "");
                if (pools.Count == 0 || pools.Contains(pool))
                {
                    string revisions = await qube.CallAsync("admin.vm.volume.ListSnapshots", volume);
                    rows.Add([$"{pool}:{values.GetValueOrDefault("vid", "")}", info.Name, volume, revisions.Length > 0 ? "Yes" : "No"]);
                }
            }
        }

        rows.Sort((a, b) => string.CompareOrdinal(a[0], b[0]));
        rows.Insert(0, ["POOL:VOLUME", "VMNAME", "VOLUME_NAME", "REVERT_POSSIBLE"]);
        await context.Out.WriteAsync(Table.Format(rows));
        return 0;
    }

    private static async Task<int> InfoAsync(ToolContext context, IReadOnlyList<string> words)
    {
        if (words.Count is 0 or > 2)
        {
            throw new UsageException("info takes VM:VOLUME and perhaps a PROPERTY");
        }

        (Qube qube, string volume) = await VolumeAsync(context, words[0]);
        IReadOnlyList<KeyValuePair<string, string>> info = await qube.GetVolumeInfoAsync(volume);
        if (words.Count == 2)
        {
            KeyValuePair<string, string> value = info.FirstOrDefault(i => i.Key == words[1]);
            if (value.Key is null)
            {
                context.PrintError($"No such property: {words[1]}");
                return 1;
            }

            await context.Out.WriteLineAsync(value.Value);
            return 0;
        }

        await context.Out.WriteAsync(Table.Format(info.Select(i => (string[])[i.Key, i.Value])));
        string[] revisions = PropertyHolder.Lines(await qube.CallAsync("admin.vm.volume.ListSnapshots", volume));
        await context.Out.WriteLineAsync(revisions.Length == 0
            ? "List of available revisions (for revert): none"
            : "List of available revisions (for revert):\n" + string.Join('\n', revisions.Select(r => "  " + r)));
        return 0;
    }

    private static async Task<int> ImportAsync(ToolContext context, IReadOnlyList<string> words, ParsedArguments arguments)
    {
        if (words.Count != 2)
        {
            throw new UsageException("import takes VM:VOLUME and PATH");
        }

        long? given = arguments.Last("size") is { } text
            ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? bytes
                : throw new UsageException($"argument --size: invalid int value: '{text}'")
            : null;
        (Qube qube, string volume) = await VolumeAsync(context, words[0]);
        try
        {
            await using Stream data = words[1] == "-" ? Console.OpenStandardInput() : File.OpenRead(words[1]);
            long? size = arguments.Has("no-resize") ? null
                : given ?? (data.CanSeek ? data.Length : throw new UsageException("the size of standard input is not known: give --size"));
            await qube.ImportVolumeAsync(volume, data, size);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            context.PrintError($"Failed to import volume {qube.Name}:{volume}: {e.Message}");
            return 1;
        }
    }

    private static async Task<(Qube Qube, string Volume)> VolumeAsync(ToolContext context, string word)
    {
        if (word.Split(':') is not [string name, string volume])
        {
            throw new UsageException("expected a vm & volume combination like foo:bar");
        }

        if ((await context.App.ListQubesAsync()).All(q => q.Name != name))
        {
            throw new ToolException($"no vm '{name}'");
        }

        Qube qube = context.App[name];
        return (await qube.ListVolumesAsync()).Contains(volume)
            ? (qube, volume)
            : throw new ToolException($"vm '{name}' has no volume '{volume}'");
    }
}
