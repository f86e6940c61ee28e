using Qubes.Client;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-tags</c></summary>
internal sealed class TagsTool : ITool
{
    private static readonly string[] Commands = ["list", "ls", "l", "add", "a", "set", "del", "d", "unset", "u"];

    public string Name => "qvm-tags";

    public string Summary => "manage the tags of a domain";

    public void Define(ArgumentParser parser)
    {
        QubeSelection.DefineOne(parser);
        parser.Positional("COMMAND", "command", "list (ls, l), add (a, set) or del (d, unset, u); without it, list", Arity.Optional, Commands);
        parser.Positional("TAG", "tags", "the tags; list takes at most one, del exactly one", Arity.Any);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        Qube qube = context.App[(await QubeSelection.OneAsync(context.App, arguments.Required(QubeSelection.Names))).Name];
        IReadOnlyList<string> tags = arguments.All("tags");
        switch (arguments.Last("command"))
        {
            case "add" or "a" or "set":
                if (tags.Count == 0)
                {
                    throw new UsageException("the following arguments are required: TAG");
                }

                foreach (string tag in tags)
                {
                    await qube.AddTagAsync(tag);
                }

                return 0;
            case "del" or "d" or "unset" or "u":
                if (tags.Count != 1)
                {
                    throw new UsageException("del takes exactly one TAG");
                }

                await qube.RemoveTagAsync(tags[0]);
                return 0;
            default:
                return await ListAsync(context, qube, tags);
        }
    }

    private static async Task<int> ListAsync(ToolContext context, Qube qube, IReadOnlyList<string> tags)
    {
        switch (tags)
        {
            case []:
                foreach (string tag in (await qube.ListTagsAsync()).Order(StringComparer.Ordinal))
                {
                    await context.Out.WriteLineAsync(tag);
                }

                return 0;
            case [string tag]:
                bool has = await qube.HasTagAsync(tag);
                if (has)
                {
                    await context.Out.WriteLineAsync(tag);
                }

                return has ? 0 : 1;
            default:
                throw new UsageException($"unrecognized arguments: {string.Join(' ', tags.Skip(1))}");
        }
    }
}
