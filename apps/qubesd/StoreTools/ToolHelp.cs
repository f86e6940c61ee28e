using System.Text;

namespace Qubesd.StoreTools;

/// <summary>What a program says about itself: help, the answer to a wrong command line and the manual page come from one declaration.</summary>
internal sealed record ToolHelp
{
    private const int Column = 24;
    private const int Width = 110;

    public required string Name { get; init; }

    /// <summary>Half a sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>The forms of the command line, without the name.</summary>
    public required IReadOnlyList<string> Forms { get; init; }

    public required string Description { get; init; }

    public IReadOnlyList<HelpEntry> Commands { get; init; } = [];

    public required IReadOnlyList<HelpEntry> Options { get; init; }

    public required IReadOnlyList<HelpEntry> ExitStatus { get; init; }

    public IReadOnlyList<HelpEntry> Environment { get; } =
    [
        new("QUBES_ROOT", "Prefix of all paths where --root is not given."),
        new("QUBES_XML_PATH", "The store where none is named, instead of var/lib/qubes/qubes.xml below the root."),
    ];

    /// <summary>The forms, a line each.</summary>
    public string Usage => string.Concat(Forms.Select((form, i) => $"{(i == 0 ? "usage:" : "      ")} {Name} {form}\n"));

    /// <summary>All of it, for <c>--help</c>.</summary>
    public string Text
    {
        get
        {
            StringBuilder text = new(Usage);
            text.Append('\n');
            AppendWrapped(text, Description, column: 0);
            AppendSection(text, "commands", Commands);
            AppendSection(text, "options", Options);
            AppendSection(text, "exit status", ExitStatus);
            AppendSection(text, "environment", Environment);
            return text.ToString();
        }
    }

    public string ManualPage
    {
        get
        {
            StringBuilder page = new($".TH {Name.ToUpperInvariant()} 1\n.SH NAME\n{Escape($"{Name} - {Summary}")}\n.SH SYNOPSIS\n");
            page.AppendJoin("\n.br\n", Forms.Select(form => $".B {Escape(Name)}\n{Escape(form)}"));
            page.Append("\n.SH DESCRIPTION\n").Append(Escape(Description)).Append('\n');
            AppendManualSection(page, "COMMANDS", Commands);
            AppendManualSection(page, "OPTIONS", Options);
            AppendManualSection(page, "EXIT STATUS", ExitStatus);
            AppendManualSection(page, "ENVIRONMENT", Environment);
            return page.ToString();
        }
    }

    private static void AppendSection(StringBuilder text, string title, IReadOnlyList<HelpEntry> entries)
    {
        if (entries.Count == 0)
        {
            return;
        }

        text.Append('\n').Append(title).Append(":\n");
        foreach (HelpEntry entry in entries)
        {
            text.Append($"  {entry.Name}".PadRight(Column));
            if (entry.Name.Length > Column - 4)
            {
                text.Append('\n').Append(' ', Column);
            }

            AppendWrapped(text, entry.Text, Column);
        }
    }

    private static void AppendWrapped(StringBuilder text, string words, int column)
    {
        int at = column;
        foreach (string word in words.Split(' '))
        {
            if (at > column && at + 1 + word.Length > Width)
            {
                text.Append('\n').Append(' ', column);
                at = column;
            }
            else if (at > column)
            {
                text.Append(' ');
                at++;
            }

            text.Append(word);
            at += word.Length;
        }

        text.Append('\n');
    }

    private static void AppendManualSection(StringBuilder page, string title, IReadOnlyList<HelpEntry> entries)
    {
        if (entries.Count == 0)
        {
            return;
        }

        page.Append(".SH ").Append(title).Append('\n');
        foreach (HelpEntry entry in entries)
        {
            page.Append(".TP\n.B ").Append(Escape(entry.Name)).Append('\n').Append(Escape(entry.Text)).Append('\n');
        }
    }

    private static string Escape(string text)
    {
        string escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return escaped.StartsWith('.') || escaped.StartsWith('\'') ? "\\&" + escaped : escaped;
    }
}
