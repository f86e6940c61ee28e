using System.Globalization;
using System.Text;

namespace Qubes.Admin.Backups;

/// <summary>The table people are shown before a backup is made, letter for letter that of Qubes OS, which tools show as it is.</summary>
internal static class BackupSummary
{
    private const long KiB = 1024;
    private const long MiB = 1024 * KiB;
    private const long GiB = 1024 * MiB;
    private const string Ruler = "------------------+--------------+--------------+\n";

    public static string Write(IReadOnlyList<BackupRow> rows, IEnumerable<string> notSelected)
    {
        StringBuilder text = new();
        text.Append(Ruler).Append(CultureInfo.InvariantCulture, $"{"VM",17} |{"type",13} |{"size",13} |\n").Append(Ruler);
        foreach (BackupRow row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"{row.Name,17} |{row.Kind,13} |{Size(row.Size),13} |{row.Remark}\n");
        }

        text.Append(Ruler).Append(CultureInfo.InvariantCulture, $"{"Total size:",17} |{Size(rows.Sum(row => row.Size)),28} |\n").Append(Ruler);
        return text.Append("VMs not selected for backup:\n - ").AppendJoin("\n - ", notSelected.Order(StringComparer.Ordinal)).Append('\n').ToString();
    }

    /// <summary>Bytes below 1024 as they are, else with one decimal in the largest of KiB, MiB and GiB.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < KiB => bytes.ToString(CultureInfo.InvariantCulture),
        < MiB => Tenths(bytes, KiB) + " KiB",
        < GiB => Tenths(bytes, MiB) + " MiB",
        _ => Tenths(bytes, GiB) + " GiB",
    };

    // In whole numbers, since a half is rounded to the even tenth.
    private static string Tenths(long bytes, long unit)
    {
        (long tenths, long rest) = Math.DivRem(bytes % unit * 10, unit);
        if (rest * 2 > unit || (rest * 2 == unit && tenths % 2 == 1))
        {
            tenths++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{(bytes / unit) + (tenths / 10)}.{tenths % 10}");
    }
}
