using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Daemons;
using Qubes.Linux;

namespace Qubesd;

/// <summary>Whom the daemons of qubes run as, and that they find what they need.</summary>
internal static class DaemonAccountSetup
{
    /// <returns>Null: they run as we do.</returns>
    /// <exception cref="UsageException">The account asked for will not do.</exception>
    public static DaemonAccount? Choose(DaemonOptions options, QubesPaths paths, ILogger logger)
    {
        string programs = Path.GetDirectoryName(Environment.ProcessPath) ?? "/usr/bin";
        DaemonAccountChoice choice;
        try
        {
            choice = DaemonAccountChoice.Make(options.DaemonUser, [paths.RunDirectory, programs], new HostAccounts());
        }
        catch (ArgumentException wrong)
        {
            throw new UsageException($"argument --daemon-user: {wrong.Message}");
        }

        if (choice.Obstacle is { } obstacle)
        {
            logger.LogWarning("{Obstacle}: the daemons of qubes, which read what guests send, and the services they start run as root", LogText.Escape(obstacle));
        }

        if (choice.Account is { } account)
        {
            SharedDirectories.Prepare(paths, account);
            logger.LogInformation("The daemons of qubes and the services they start run as {User}", LogText.Escape(account.User.Name));
        }

        return choice.Account;
    }
}
