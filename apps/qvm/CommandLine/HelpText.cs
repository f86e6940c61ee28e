using System.Text;

namespace Qvm.CommandLine;

/// <summary>Writes usage and help of a tool in the layout users of these tools know.</summary>
internal static class HelpText
{
    private const int Width = 80;
    private const int HelpColumn = 24;

    public static string Usage(string tool, ArgumentParser parser)
    {
        List<string> parts = [];
        foreach (Argument option in parser.Options.Where(o => !o.IsHidden))
        {
            parts.Add($"[{WithValue(option, option.Names.MinBy(n => n.Length)!)}]");
        }

        foreach (Argument positional in parser.Positionals)
        {
            string name = positional.Names[0];
            parts.Add(positional.Arity switch
            {
                Arity.One => name,
                Arity.Optional => $"[{name}]",
                Arity.OneOrMore => $"{name} [{name} ...]",
                Arity.Any => $"[{name} ...]",
                _ => "...",
            });
        }

        string start = $"usage: {tool} ";
        StringBuilder text = new(start);
        int column = start.Length;
        foreach (string part in parts)
        {
            if (column + part.Length > Width - 2 && column > start.Length)
            {
                text.Length--;
                text.Append('\n').Append(' ', start.Length);
                column = start.Length;
            }

            text.Append(part).Append(' ');
            column += part.Length + 1;
        }

        return text.ToString().TrimEnd() + "\n";
    }

    public static string Help(string tool, string summary, ArgumentParser parser)
    {
        StringBuilder text = new(Usage(tool, parser));
        text.Append('\n').Append(Wrap(summary, 0)).Append('\n');
        if (parser.Positionals.Count > 0)
        {
            text.Append("\npositional arguments:\n");
            foreach (Argument positional in parser.Positionals)
            {
                AppendEntry(text, positional.Names[0], positional.Help);
            }
        }

        text.Append("\noptions:\n");
        foreach (Argument option in parser.Options.Where(o => !o.IsHidden))
        {
            AppendEntry(text, string.Join(", ", option.Names.Select(n => WithValue(option, n))), option.Help);
        }

        return text.ToString();
    }

    public static string WithValue(Argument option, string name) => option.Arity switch
    {
        Arity.Flag => name,
        Arity.Optional => $"{name} [{option.Metavar}]",
        Arity.OneOrMore => $"{name} {option.Metavar} [{option.Metavar} ...]",
        _ => $"{name} {option.Metavar}",
    };

    private static void AppendEntry(StringBuilder text, string names, string help)
    {
        string left = "  " + names;
        if (left.Length > HelpColumn - 2)
        {
            text.Append(left).Append('\n').Append(' ', HelpColumn);
        }
        else
        {
            text.Append(left.PadRight(HelpColumn));
        }

        text.Append(Wrap(help, HelpColumn)).Append('\n');
    }

    public static string Wrap(string words, int indent, int width = Width)
    {
        StringBuilder text = new();
        int column = indent;
        foreach (string word in words.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (column > indent && column + 1 + word.Length > width - 1)
            {
                text.Append('\n').Append(' ', indent);
                column = indent;
            }

            if (column > indent)
            {
                text.Append(' ');
                column++;
            }

            text.Append(word);
            column += word.Length;
        }

        return text.ToString();
    }
}
