using System.Globalization;

namespace Qubes.Storage;

/// <summary>A revision as its file name tells it: <c>VOLUME.img.N@YYYY-MM-DDTHH:MM:SSZ</c>.</summary>
internal sealed record ReflinkRevision(string FileName, int Number, DateTimeOffset Time)
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    public static string NameFor(string cleanName, int number, DateTimeOffset time) => string.Create(
        CultureInfo.InvariantCulture, $"{cleanName}.{number}@{time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)}");

    public static ReflinkRevision? TryParse(string cleanName, string fileName)
    {
        if (fileName.Length <= cleanName.Length + 1 || !fileName.StartsWith(cleanName, StringComparison.Ordinal) || fileName[cleanName.Length] != '.')
        {
            return null;
        }

        ReadOnlySpan<char> rest = fileName.AsSpan(cleanName.Length + 1);
        int at = rest.IndexOf('@');
        return at > 0
            && int.TryParse(rest[..at], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && DateTimeOffset.TryParseExact(rest[(at + 1)..], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
                ? new ReflinkRevision(fileName, number, time)
                : null;
    }
}
