using System.Text;
using Qvm.CommandLine;
using Qvm.Tools;

namespace Qvm.Output;

/// <summary>Writes a tool's manual page from the same declarations its help comes from, so that the two cannot differ.</summary>
internal static class ManualPage
{
    public static string Of(ITool tool, ArgumentParser parser)
    {
        StringBuilder page = new();
        page.Append(".TH ").Append(tool.Name.ToUpperInvariant()).Append(" 1\n.SH NAME\n").Append(Escape($"{tool.Name} - {tool.Summary}"));
        page.Append("\n.SH SYNOPSIS\n.B ").Append(Escape(tool.Name)).Append("\n[OPTIONS]");
        foreach (Argument positional in parser.Positionals)
        {
            string name = positional.Names[0];
            page.Append(' ').Append(Escape(positional.Arity is Arity.One or Arity.OneOrMore ? name : $"[{name}]"));
        }

        page.Append('\n');
        if (parser.Positionals.Count > 0)
        {
            page.Append(".SH ARGUMENTS\n");
            foreach (Argument positional in parser.Positionals)
            {
                AppendEntry(page, positional.Names[0], positional.Help);
            }
        }

        page.Append(".SH OPTIONS\n");
        foreach (Argument option in parser.Options.Where(o => !o.IsHidden))
        {
            AppendEntry(page, string.Join(", ", option.Names.Select(n => HelpText.WithValue(option, n))), option.Help);
        }

        page.Append(".SH EXIT STATUS\n0 when done, 1 on an error, 2 when the command line is wrong.");
        if (tool.ExitStatus.Length > 0)
        {
            page.Append('\n').Append(Escape(tool.ExitStatus));
        }

        page.Append("\n.SH ENVIRONMENT\n.TP\n.B QUBES_ROOT\n")
            .Append("Prefix of all paths, among them the daemon's socket. Inside a qube calls go through qrexec.\n");
        return page.ToString();
    }

    private static void AppendEntry(StringBuilder page, string name, string help) =>
        page.Append(".TP\n.B ").Append(Escape(name)).Append('\n').Append(Escape(help)).Append('\n');

    private static string Escape(string text)
    {
        string escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return escaped.StartsWith('.') || escaped.StartsWith('\'') ? "\\&" + escaped : escaped;
    }
}
