using System.Globalization;
using Qubes.Client;
using Qubes.Client.Cloning;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-create</c></summary>
internal sealed class CreateTool : ITool
{
    public string Name => "qvm-create";

    public string Summary => "create a new domain";

    public string ExitStatus =>
        "2 also when the qube was created but a property could not be set, 3 when its root volume could not be imported.";

    public void Define(ArgumentParser parser)
    {
        parser.Option("--class -C", "class", "class of the new qube, AppVM if not given", placeholder: "CLASS");
        parser.Flag("--standalone", "standalone", "shortcut for --class StandaloneVM");
        parser.Flag("--disp", "disp", "shortcut for --class DispVM --label red");
        parser.Option("--property --prop", "property", "set the property on the new qube; may be repeated", placeholder: "NAME=VALUE");
        parser.Option("--pool -p", "volume-pool", "pool for one volume; may be repeated", placeholder: "VOLUME_NAME=POOL_NAME");
        parser.Option("-P", "pool", "pool for all volumes", placeholder: "POOL_NAME");
        parser.Option("--template -t", "template", "the template to use", placeholder: "TEMPLATE");
        parser.Option("--label -l", "label", "the label of the new qube", placeholder: "LABEL");
        parser.Flag("--help-classes", "help-classes", "list available classes and exit");
        parser.Option("--root-copy-from -r", "root-copy", "import a root volume from the file", placeholder: "FILENAME");
        parser.Option("--root-move-from -R", "root-move", "import a root volume from the file and delete it then", placeholder: "FILENAME");
        parser.Flag("--no-root", "no-root", "accepted for compatibility, has no effect", hidden: true);
        parser.Positional("VMNAME", "name", "name of the new qube", Arity.Optional);
        parser.ExclusiveKeys.Add(["class", "standalone", "disp"]);
        parser.ExclusiveKeys.Add(["root-copy", "root-move"]);
        parser.ExclusiveKeys.Add(["volume-pool", "pool"]);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        if (arguments.Has("help-classes"))
        {
            foreach (string known in (await context.App.ListClassesAsync()).Order(StringComparer.Ordinal))
            {
                await context.Out.WriteLineAsync(known);
            }

            return 0;
        }

        Dictionary<string, string> properties = Pairs(arguments.All("property"), "Invalid property token: '{0}'");
        string @class = arguments.Has("standalone") ? "StandaloneVM" : arguments.Has("disp") ? "DispVM" : arguments.Last("class") ?? "AppVM";
        string? label = arguments.Last("label") ?? Take(properties, "label") ?? (arguments.Has("disp") ? "red" : null);
        string? template = arguments.Last("template") ?? Take(properties, "template");
        string? name = arguments.Last("name") ?? Take(properties, "name");
        string? rootFile = arguments.Last("root-copy") ?? arguments.Last("root-move");
        if (label is null)
        {
            throw new UsageException("--label option is mandatory");
        }

        if (name is null)
        {
            throw new UsageException("VMNAME is mandatory");
        }

        if (rootFile is not null && !File.Exists(rootFile))
        {
            throw new UsageException("File pointed by --root-copy-from/--root-move-from does not exist");
        }

        if (rootFile is not null && (@class is "AppVM" or "DispVM"))
        {
            throw new UsageException($"--root-copy-from/--root-move-from makes no sense for class {@class}: its root is the template's");
        }

        string[] labels = await context.App.ListLabelsAsync();
        if (!labels.Contains(label) && !label.All(char.IsAsciiDigit))
        {
            throw new UsageException($"no such label: '{label}'; available: {string.Join(", ", labels)}");
        }

        Qube qube;
        try
        {
            Dictionary<string, string> pools = Pairs(arguments.All("volume-pool"), "Pool argument must be of form: -p volume_name=pool_name");
            qube = @class == "StandaloneVM" && template is not null
                ? await CloneTemplateAsync(context, name, label, template, arguments.Last("pool"), pools)
                : await context.App.CreateAsync(@class, name, label, template, arguments.Last("pool"), pools);
        }
        catch (QubesException e)
        {
            context.Error.WriteLine($"app: Error creating VM: {e.Message}");
            return 1;
        }

        int status = await SetPropertiesAsync(context, qube, properties);
        return rootFile is null || await ImportRootAsync(context, qube, rootFile, arguments.Has("root-move")) ? status : 3;
    }

    /// <summary>A standalone qube has no template; one "based on" a template begins as a copy of it, with a private volume of its own.</summary>
    private static Task<Qube> CloneTemplateAsync(
        ToolContext context, string name, string label, string template, string? pool, Dictionary<string, string> pools)
    {
        QubeCloner cloner = new(context.App, new CloneOptions
        {
            ClassName = "StandaloneVM", Label = label, Pool = pool, VolumePools = pools, SkippedVolumes = ["private"], Report = context.Tell,
        });
        return cloner.CloneAsync(context.App[template], name);
    }

    private static async Task<int> SetPropertiesAsync(ToolContext context, Qube qube, Dictionary<string, string> properties)
    {
        int status = 0;
        foreach ((string property, string value) in properties)
        {
            try
            {
                await qube.SetPropertyAsync(property, value);
            }
            catch (QubesException e)
            {
                context.Error.WriteLine($"app: Error setting property {property} (but VM created): {e.Message}");
                status = 2;
            }
        }

        return status;
    }

    private static async Task<bool> ImportRootAsync(ToolContext context, Qube qube, string file, bool deleteFile)
    {
        try
        {
            await using FileStream data = File.OpenRead(file);
            await qube.ImportVolumeAsync("root", data, data.Length);
        }
        catch (Exception e) when (e is QubesException or IOException or UnauthorizedAccessException)
        {
            context.Error.WriteLine($"app: Error importing root volume (but VM created): {e.Message}");
            return false;
        }

        if (deleteFile)
        {
            File.Delete(file);
        }

        return true;
    }

    private static Dictionary<string, string> Pairs(IReadOnlyList<string> words, string error)
    {
        Dictionary<string, string> pairs = new(StringComparer.Ordinal);
        foreach (string word in words)
        {
            string[] parts = word.Split('=', 2);
            pairs[parts[0]] = parts.Length == 2 ? parts[1] : throw new UsageException(string.Format(CultureInfo.InvariantCulture, error, word));
        }

        return pairs;
    }

    private static string? Take(Dictionary<string, string> properties, string name) =>
        properties.Remove(name, out string? value) ? value : null;
}
