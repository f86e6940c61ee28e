using System.Text;
using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Model.Classes;
using Qubes.Model.Properties;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Extensions.OutOfProcess.Configuration;

/// <summary>
/// The format of the files that say which classes of qubes an extension brings. They are read before the store is, and so before any
/// program runs: a qube whose class is not known could not be loaded.
/// </summary>
public static class QubeClassFile
{
    private const int MaxClasses = 16;
    private const int MaxProperties = 64;
    private const int MaxContent = 64;
    private const int MaxNameLength = 31;
    private const int MaxHelpLength = 1024;

    private static readonly QubeClass[] Bases = [QubeClasses.AppVM, QubeClasses.DispVM, QubeClasses.StandaloneVM, QubeClasses.TemplateVM];

    // {"classes": [{"name": NAME, "base": CLASS, "properties": [PROPERTY, …], "new": {"properties": {NAME: TEXT}, "features": {NAME: TEXT}, "tags": [TAG]}}, …]}
    // PROPERTY = {"name": NAME, "type": "str"|"int"|"bool"|"vm", "default": VALUE, "help": TEXT, "values": [TEXT], "min": N, "max": N,
    //             "write_once": BOOL, "clone": BOOL}; name, type and help are needed, and a default but of "vm", which has none

    /// <exception cref="ExtensionFormatException">The text does not keep to the format.</exception>
    public static IReadOnlyList<QubeClass> Parse(ReadOnlyMemory<byte> untrustedContent)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(untrustedContent, new JsonDocumentOptions { MaxDepth = 16 });
            List<QubeClass> classes = [];
            foreach (RpcParams untrusted in new RpcParams(document.RootElement).Objects("classes", MaxClasses))
            {
                QubeClass parsed = ParseClass(untrusted);
                if (classes.Exists(c => c.Name == parsed.Name))
                {
                    throw new ExtensionFormatException($"class {parsed.Name} is there twice");
                }

                classes.Add(parsed);
            }

            return classes.Count > 0 ? classes : throw new ExtensionFormatException("no classes");
        }
        catch (JsonException e)
        {
            throw new ExtensionFormatException($"line {e.LineNumber + 1}: not JSON");
        }
        catch (RpcException e)
        {
            throw new ExtensionFormatException(e.Message);
        }
    }

    private static QubeClass ParseClass(RpcParams untrusted)
    {
        string name = untrusted.Text("name");
        if (name.Length is 0 or > MaxNameLength || !char.IsAsciiLetterUpper(name[0]) || !name.All(char.IsAsciiLetterOrDigit))
        {
            throw new ExtensionFormatException($"the name of a class is a capital letter, then letters and digits, {MaxNameLength} at most");
        }

        if (QubeClasses.TryFind(name, out _))
        {
            throw new ExtensionFormatException($"class {name} is the daemon's");
        }

        try
        {
            string from = untrusted.Text("base");
            QubeClass root = Bases.FirstOrDefault(c => c.Name == from)
                ?? throw new ExtensionFormatException($"'base' must be one of {string.Join(", ", Bases.AsEnumerable())}");
            List<PropertyDefinition> properties = [];
            foreach (RpcParams property in untrusted.Objects("properties", MaxProperties))
            {
                PropertyDefinition parsed = ParseProperty(property);
                if (root.Properties.Contains(parsed.Name) || properties.Exists(p => p.Name == parsed.Name))
                {
                    throw new ExtensionFormatException($"there is a property '{parsed.Name}' already");
                }

                properties.Add(parsed);
            }

            PropertyTable table = new([.. root.Properties.InListOrder, .. properties]);
            return QubeClass.Derive(name, root, properties, ParseContent(untrusted, table));
        }
        catch (Exception e) when (e is ExtensionFormatException or RpcException or QubesException)
        {
            throw new ExtensionFormatException($"class {name}: {e.Message}");
        }
    }

    private static PropertyDefinition ParseProperty(RpcParams untrusted)
    {
        string name = untrusted.Text("name");
        if (name.Length is 0 or > MaxNameLength || !char.IsAsciiLetterLower(name[0])
            || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'))
        {
            throw new ExtensionFormatException($"the name of a property is a small letter, then small letters, digits and '_', {MaxNameLength} at most");
        }

        string help = untrusted.Text("help", MaxHelpLength);
        bool writeOnce = untrusted.Flag("write_once");
        bool clone = untrusted.Flag("clone", fallback: true);
        PropertyDefinition property;
        switch (untrusted.Text("type"))
        {
            case "str":
                IReadOnlyList<string> values = untrusted.Texts("values", MaxContent);
                string text = untrusted.Text("default");
                property = DerivedProperties.Text(name, help, text, values, writeOnce, clone);
                if (values.Count > 0 && !values.Contains(text))
                {
                    throw new ExtensionFormatException($"property '{name}': the default is none of the values");
                }

                break;
            case "int":
                int least = untrusted.Number("min", int.MinValue, int.MinValue, int.MaxValue);
                int most = untrusted.Number("max", int.MaxValue, least, int.MaxValue);
                int number = untrusted.Has("default") ? untrusted.Number("default", fallback: 0, least, most) : throw MissingDefault(name);
                property = DerivedProperties.Number(name, help, number, least, most, writeOnce, clone);
                break;
            case "bool":
                bool flag = untrusted.Has("default") ? untrusted.Flag("default") : throw MissingDefault(name);
                property = DerivedProperties.Flag(name, help, flag, writeOnce, clone);
                break;
            case "vm":
                property = untrusted.Has("default")
                    ? throw new ExtensionFormatException($"property '{name}': a qube has no default") : DerivedProperties.Reference(name, help, writeOnce, clone);
                break;
            default:
                throw new ExtensionFormatException($"property '{name}': 'type' must be str, int, bool or vm");
        }

        return property;
    }

    private static ExtensionFormatException MissingDefault(string name) => new($"property '{name}': 'default' is missing");

    private static NewQubeContent ParseContent(RpcParams untrusted, PropertyTable table)
    {
        if (!untrusted.TryFind("new", out JsonElement element))
        {
            return NewQubeContent.None;
        }

        RpcParams content = new(element);
        List<(PropertyDefinition, object?)> properties = [];
        foreach ((string name, string value) in content.TextMap("properties", MaxContent))
        {
            if (!table.TryFind(name, out PropertyDefinition? property) || property.Computed || property.WriteOnce || name is "label" or "template")
            {
                throw new ExtensionFormatException($"new qubes cannot be given the property '{name}'");
            }

            properties.Add((property, property.Sanitise(Encoding.UTF8.GetBytes(value))));
        }

        return new NewQubeContent(
            properties,
            [.. content.TextMap("features", MaxContent).Select(f => FeatureName.ParseAssignment(f.Key, Encoding.UTF8.GetBytes(f.Value)))],
            [.. content.Texts("tags", MaxContent).Select(t => TagName.Parse(t))]);
    }
}
