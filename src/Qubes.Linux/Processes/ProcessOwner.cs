using System.Globalization;

namespace Qubes.Linux;

/// <summary>Whose a process is.</summary>
public static class ProcessOwner
{
    private const string UserLine = "Uid:";

    /// <summary>The real user of a process; null when it is gone.</summary>
    /// <remarks>The kernel shows that of every process, also of those whose other files in <c>/proc</c> are root's.</remarks>
    public static uint? Find(int processId)
    {
        try
        {
            // Uid: TAB real TAB effective TAB saved TAB file system
            var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/status"))
                .FirstOrDefault(l => l.StartsWith(UserLine, StringComparison.Ordinal));
            return line is not null && uint.TryParse(line.Split('\t')[1], NumberStyles.None, CultureInfo.InvariantCulture, out var user) ? user : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
