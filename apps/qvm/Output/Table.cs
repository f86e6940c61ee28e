using System.Text;

namespace Qvm.Output;

/// <summary>
/// Tables as <c>column -t</c> lays them out, which scripts parse: columns two blanks apart, the last one not padded,
/// short rows filled up, a line break in a cell starting a new row.
/// </summary>
internal static class Table
{
    private const char Separator = '\x1f';

    public static string Format(IEnumerable<IReadOnlyList<string>> rows)
    {
        List<string[]> lines = [];
        foreach (IReadOnlyList<string> row in rows)
        {
            if (row.Count > 1 && !row.Any(BreaksRow))
            {
                lines.Add([.. row]);
                continue;
            }

            // As the pipe through column would see it: the row is one text, and its line breaks end rows.
            lines.AddRange(string.Join(Separator, row).Split('\n').Where(l => l.Length > 0).Select(l => l.Split(Separator)));
        }

        int columns = lines.Count == 0 ? 0 : lines.Max(l => l.Length);
        int[] widths = new int[columns];
        foreach (string[] line in lines)
        {
            for (int i = 0; i < line.Length; i++)
            {
                widths[i] = Math.Max(widths[i], line[i].Length);
            }
        }

        StringBuilder text = new();
        foreach (string[] line in lines)
        {
            for (int i = 0; i < columns; i++)
            {
                string cell = i < line.Length ? line[i] : "";
                text.Append(cell);
                if (i < columns - 1)
                {
                    text.Append(' ', widths[i] + 2 - cell.Length);
                }
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static bool BreaksRow(string cell) => cell.AsSpan().IndexOfAny('\n', Separator) >= 0;
}
