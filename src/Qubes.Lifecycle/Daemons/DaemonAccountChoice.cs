using Qubes.Linux;

namespace Qubes.Lifecycle.Daemons;

/// <summary>Whom the daemons of qubes run as.</summary>
/// <param name="Account">Null: as we, who are root or cannot become anybody else.</param>
/// <param name="Obstacle">Why they run as root though they should not; a sentence for a log. Null when all is well.</param>
public sealed record DaemonAccountChoice(DaemonAccount? Account, string? Obstacle)
{
    /// <summary>The account of packages, where no person has one of those who use the system.</summary>
    public const string SystemAccount = "qubes-daemon";

    private const string UsersGroup = "qubes";

    /// <summary>
    /// The account that was asked for, else the first member of the group <c>qubes</c>, as upstream, whose services in dom0 are those of a person's session, else
    /// <see cref="SystemAccount"/>.
    /// </summary>
    /// <param name="asked">The name of an account; null: whatever fits.</param>
    /// <param name="directories">What it has to get to: the root, the programs.</param>
    /// <param name="accounts">Where accounts are looked up.</param>
    /// <exception cref="ArgumentException">What was asked for cannot be; the message says why.</exception>
    public static DaemonAccountChoice Make(string? asked, IReadOnlyList<string> directories, IAccounts accounts)
    {
        ArgumentNullException.ThrowIfNull(accounts);
        if (asked is not null)
        {
            return MakeAsked(asked, directories, accounts);
        }

        if (!accounts.IsRoot)
        {
            return new(null, null);
        }

        if (accounts.FindGroup(UsersGroup) is not { } group)
        {
            return AsRoot($"There is no group {UsersGroup}");
        }

        string? member = accounts.FindFirstMember(UsersGroup);
        if (member is not null && accounts.FindUser(member) is null)
        {
            return AsRoot($"The first member of the group {UsersGroup}, {member}, is no account");
        }

        if (accounts.FindUser(member ?? SystemAccount) is not { } user)
        {
            return AsRoot($"The group {UsersGroup} has no member, and there is no account {SystemAccount}");
        }

        return ObstacleOf(user, directories, accounts) is { } obstacle ? AsRoot(obstacle) : new(Of(user, group), null);
    }

    private static DaemonAccountChoice MakeAsked(string name, IReadOnlyList<string> directories, IAccounts accounts)
    {
        UserAccount user = accounts.FindUser(name) ?? throw new ArgumentException($"there is no account {name}");
        if (user.UserId == accounts.CurrentUserId)
        {
            return new(null, null);
        }

        if (!accounts.IsRoot)
        {
            throw new ArgumentException($"only root can start daemons as {name}");
        }

        uint group = accounts.FindGroup(UsersGroup)
            ?? throw new ArgumentException($"there is no group {UsersGroup}, by which {name} would reach the daemon's sockets");
        return ObstacleOf(user, directories, accounts) is { } obstacle ? throw new ArgumentException(obstacle) : new(Of(user, group), null);
    }

    private static string? ObstacleOf(UserAccount user, IReadOnlyList<string> directories, IAccounts accounts)
    {
        if (user.UserId == 0)
        {
            return $"The account {user.Name} is root's";
        }

        return !accounts.CanSwitch ? $"{AccountSwitch.Program} is missing"
            : directories.FirstOrDefault(directory => !user.CanEnter(directory)) is { } closed ? $"{user.Name} cannot get to {closed}"
            : null;
    }

    private static DaemonAccount Of(UserAccount user, uint group) => new(user with { Groups = [.. user.Groups.Append(group).Distinct()] }, group);

    private static DaemonAccountChoice AsRoot(string reason) => new(null, reason);
}
