namespace Qvm.Tools.Running;

/// <summary>Quotes words for the shell of the qube that is to run them.</summary>
internal static class ShellQuoting
{
    public static string Join(IEnumerable<string> words) => string.Join(' ', words.Select(Quote));

    private static string Quote(string word)
    {
        bool isPlain = word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "@%+=:,./-_".Contains(c, StringComparison.Ordinal));
        return isPlain ? word : "'" + word.Replace("'", "'\"'\"'", StringComparison.Ordinal) + "'";
    }
}
