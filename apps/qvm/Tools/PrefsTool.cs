using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-prefs</c> and <c>qubes-prefs</c>: properties of a qube, and of the system.</summary>
internal sealed class PrefsTool : ITool
{
    // Where people type "none" for no qube at all.
    private static readonly string[] TakesNone = ["default_dispvm", "netvm", "template", "guivm", "audiovm"];

    private readonly bool _ofSystem;

    private PrefsTool(bool ofSystem) => _ofSystem = ofSystem;

    public static PrefsTool ForQube { get; } = new(ofSystem: false);

    public static PrefsTool ForSystem { get; } = new(ofSystem: true);

    public string Name => _ofSystem ? "qubes-prefs" : "qvm-prefs";

    public string Summary => _ofSystem ? "list and set properties of the system" : "list and set properties of a domain";

    public void Define(ArgumentParser parser)
    {
        parser.Flag("--help-properties", "help-properties", "list all available properties with short descriptions and exit");
        parser.Flag("--hide-default", "hide-default", "do not show properties that are set to the default value");
        parser.Flag("--get -g", "get", "ignored; for compatibility");
        parser.Flag("--set -s", "set", "ignored; for compatibility");
        parser.Flag("--default -D", "default", "reset property to its default value");
        if (!_ofSystem)
        {
            QubeSelection.DefineOne(parser);
        }

        parser.Positional("PROPERTY", "property", "name of the property to show or change", Arity.Optional);
        parser.Positional("VALUE", "value", "new value of the property", Arity.Optional);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        string? property = arguments.Last("property")?.Replace('-', '_');

        // A single question about a qube named in full is one call; the daemon says whether the name is right.
        PropertyHolder holder = _ofSystem ? context.App : await HolderAsync(context, arguments.Required(QubeSelection.Names));
        try
        {
            if (arguments.Has("help-properties"))
            {
                return await HelpPropertiesAsync(context, holder);
            }

            if (property is null)
            {
                return await ListAsync(context, holder, arguments.Has("hide-default"));
            }

            if (arguments.Last("value") is { } value)
            {
                bool isNone = TakesNone.Contains(property) && value.Equals("none", StringComparison.OrdinalIgnoreCase);
                await holder.SetPropertyAsync(property, isNone ? "" : value);
                return 0;
            }

            if (arguments.Has("default"))
            {
                await holder.ResetPropertyAsync(property);
                return 0;
            }

            return await ShowAsync(context, await holder.GetPropertyAsync(property), property, arguments.Has("hide-default"));
        }
        catch (QubesException e) when (e.Is(QubesErrorNames.NoSuchProperty))
        {
            // The class also stands for a property that is there, but is set once only.
            throw new UsageException(e.Message.Contains("write-once", StringComparison.Ordinal) ? e.Message : $"no such property: '{property}'");
        }
        catch (QubesException e) when (e.Is(QubesErrorNames.VMNotFound) && e.Message.Contains($"'{holder.Name}'", StringComparison.Ordinal))
        {
            throw new UsageException($"no such domain: '{holder.Name}'");
        }
    }

    private static async Task<PropertyHolder> HolderAsync(ToolContext context, string name) =>
        name.AsSpan().ContainsAny("*?[!]")
            ? context.App[(await QubeSelection.OneAsync(context.App, name, last: true)).Name]
            : context.App[name];

    private static async Task<int> ShowAsync(ToolContext context, PropertyValue value, string property, bool hideDefault)
    {
        if (value.IsUnset)
        {
            throw new ToolException($"property '{property}' has no value");
        }

        if (!value.IsNone && !(hideDefault && value.IsDefault))
        {
            await context.Out.WriteLineAsync(value.Raw);
        }

        return 0;
    }

    private static async Task<int> ListAsync(ToolContext context, PropertyHolder holder, bool hideDefault)
    {
        IReadOnlyDictionary<string, PropertyValue> values = await holder.GetPropertiesAsync();
        int width = values.Keys.Select(k => k.Length).DefaultIfEmpty().Max();
        foreach ((string name, PropertyValue value) in values.OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            if (value.IsUnset)
            {
                await context.Out.WriteLineAsync($"{name.PadRight(width)}  U");
            }
            else if (!hideDefault || !value.IsDefault)
            {
                await context.Out.WriteLineAsync(
                    $"{name.PadRight(width)}  {(value.IsDefault ? 'D' : '-')}  {(value.IsNone ? "None" : value.Raw)}");
            }
        }

        return 0;
    }

    private static async Task<int> HelpPropertiesAsync(ToolContext context, PropertyHolder holder)
    {
        string[] names = [.. (await holder.ListPropertiesAsync()).Order(StringComparer.Ordinal)];
        int width = names.Select(n => n.Length).DefaultIfEmpty().Max();
        foreach (string name in names)
        {
            string help = await holder.GetPropertyHelpAsync(name);
            await context.Out.WriteLineAsync($"  {name.PadRight(width)}  {HelpText.Wrap(help, width + 6)}".TrimEnd());
        }

        return 0;
    }
}
