using Qubes.Client;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary>The arguments that name qubes, and their resolution against the list of those that exist.</summary>
internal static class QubeSelection
{
    public const string Names = "VMNAME";

    /// <summary>Adds <c>VMNAME</c>, exactly one.</summary>
    public static void DefineOne(ArgumentParser parser) => parser.Positional("VMNAME", Names, "name of the domain");

    /// <summary>Adds <c>VMNAME …</c>, <c>--all</c> and <c>--exclude</c>.</summary>
    public static void DefineMany(ArgumentParser parser)
    {
        parser.Flag("--all", "all", "perform the action on all qubes");
        parser.Option("--exclude", "exclude", "exclude the qube from --all", placeholder: "EXCLUDE");
        parser.Positional("VMNAME", Names, "zero or more domain names", Arity.Any);
    }

    /// <summary>The qubes meant by <see cref="DefineMany"/>, by the order given, each once.</summary>
    /// <param name="app">The daemon.</param>
    /// <param name="arguments">What was given.</param>
    /// <param name="required">Whether naming none is an error; otherwise it means all, dom0 included.</param>
    public static async Task<IReadOnlyList<QubeInfo>> ManyAsync(QubesApp app, ParsedArguments arguments, bool required = true)
    {
        IReadOnlyList<string> names = arguments.All(Names);
        IReadOnlyList<string> excluded = arguments.All("exclude");
        bool all = arguments.Has("all");
        if (all && names.Count > 0)
        {
            throw new UsageException("argument VMNAME: not allowed with argument --all");
        }

        if (!all && names.Count == 0 && required)
        {
            throw new UsageException("one of the arguments --all VMNAME is required");
        }

        if (!all && excluded.Count > 0 && (required || names.Count > 0))
        {
            throw new UsageException("--exclude can only be used with --all");
        }

        IReadOnlyList<QubeInfo> known = await app.ListQubesAsync();
        if (all || names.Count == 0)
        {
            RequireKnown(excluded, known);
            return [.. known.Where(q => (!required || q.Class != "AdminVM") && !excluded.Any(e => ShellPattern.Matches(e, q.Name)))];
        }

        return Resolve(names, known);
    }

    /// <summary>The one qube meant; of several that match a pattern, the first or the last.</summary>
    public static async Task<QubeInfo> OneAsync(QubesApp app, string name, bool last = false)
    {
        List<QubeInfo> found = Resolve([name], await app.ListQubesAsync());
        return found.Count == 0 ? throw new ToolException($"no qube matches '{name}'") : found[last ? ^1 : 0];
    }

    private static List<QubeInfo> Resolve(IReadOnlyList<string> names, IReadOnlyList<QubeInfo> known)
    {
        List<QubeInfo> found = [];
        foreach (string name in names)
        {
            if (name.AsSpan().ContainsAny("*?[!]"))
            {
                found.AddRange(known.Where(q => ShellPattern.Matches(name, q.Name)));
            }
            else
            {
                found.Add(known.FirstOrDefault(q => q.Name == name) ?? throw Unknown(name));
            }
        }

        return [.. found.Distinct()];
    }

    private static void RequireKnown(IReadOnlyList<string> names, IReadOnlyList<QubeInfo> known)
    {
        foreach (string name in names)
        {
            if (known.All(q => q.Name != name) && !name.AsSpan().ContainsAny("*?[!]"))
            {
                throw Unknown(name);
            }
        }
    }

    private static UsageException Unknown(string name) => new($"no such domain: '{name}'");
}
