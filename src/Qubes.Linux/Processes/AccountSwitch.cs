using System.Globalization;

namespace Qubes.Linux;

/// <summary>
/// Starting a program as another account. <c>posix_spawn</c> cannot change users, and what parses guests' bytes shall not have root's rights even while it
/// starts; so a program of util-linux drops them and becomes the program that is wanted: one process, whose number is its own.
/// </summary>
public static class AccountSwitch
{
    /// <summary>Essential in Debian.</summary>
    public const string Program = "/usr/bin/setpriv";

    /// <summary><c>argv</c> of the process to start.</summary>
    internal static List<string> CommandLineOf(ChildProcessOptions options)
    {
        if (options.Account is not { } account)
            return [options.ArgumentZero ?? options.FileName, .. options.Arguments];
        var groups = string.Join(',', account.Groups.Append(account.GroupId).Distinct().Select(id => id.ToString(CultureInfo.InvariantCulture)));
        List<string> command =
        [
            Program,
            string.Create(CultureInfo.InvariantCulture, $"--reuid={account.UserId}"),
            string.Create(CultureInfo.InvariantCulture, $"--regid={account.GroupId}"),
            "--groups=" + groups,
            "--inh-caps=-all",
        ];
        if (options.NoNewPrivileges)
            command.Add("--no-new-privs");
        return [.. command, "--", options.FileName, .. options.Arguments];
    }
}
