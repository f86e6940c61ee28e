using Qubes.Lifecycle.Daemons;
using Qubes.Linux;

namespace Qubes.Lifecycle.Tests.Daemons;

/// <summary>Whom daemons run as, by what accounts a host has.</summary>
public sealed class DaemonAccountChoiceTests : IDisposable
{
    private static readonly UserAccount RootUser = new("root", 0, 0, "/root", "/bin/sh", [0]);
    private static readonly UserAccount Person = new("joanna", 1000, 1000, "/home/joanna", "/bin/bash", [1000, 27]);
    private static readonly UserAccount Other = new("other", 1001, 1001, "/home/other", "/bin/bash", [1001]);
    private static readonly UserAccount System = new(DaemonAccountChoice.SystemAccount, 300, FixedAccounts.QubesGroup, "/", "/sbin/nologin", [FixedAccounts.QubesGroup]);

    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-account-").FullName;

    public DaemonAccountChoiceTests() => File.SetUnixFileMode(_directory, (UnixFileMode)0x1ED /* 0755 */);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_first_member_of_the_group_comes_before_the_systems_account()
    {
        DaemonAccountChoice choice = Make(new FixedAccounts { FirstMember = "joanna", Users = [System, Other, Person] });
        Assert.Null(choice.Obstacle);
        Assert.Equal((1000u, 1000u, FixedAccounts.QubesGroup), (choice.Account!.User.UserId, choice.Account.User.GroupId, choice.Account.Group));

        // All its own groups, and the one by which it gets to sockets.
        Assert.Equal([1000, 27, FixedAccounts.QubesGroup], choice.Account.User.Groups);
    }

    [Fact]
    public void Without_a_member_it_is_the_systems_account() =>
        Assert.Equal(300u, Make(new FixedAccounts { Users = [System, Person] }).Account?.User.UserId);

    [Fact]
    public void What_was_asked_for_comes_before_all()
    {
        FixedAccounts accounts = new() { FirstMember = "joanna", Users = [System, Other, Person, RootUser] };
        Assert.Equal([1001u, FixedAccounts.QubesGroup], Make(accounts, "other").Account!.User.Groups);

        // Asked for, it is no reason to warn.
        Assert.Equal(new DaemonAccountChoice(null, null), Make(accounts, "root"));
    }

    [Fact]
    public void Nobody_but_root_becomes_anybody_else()
    {
        FixedAccounts accounts = new() { IsRoot = false, FirstMember = "other", Users = [Person, Other] };
        Assert.Equal(new DaemonAccountChoice(null, null), Make(accounts));
        Assert.Equal(new DaemonAccountChoice(null, null), Make(accounts, "joanna"));
        Assert.Equal("only root can start daemons as other", Refused(accounts, "other"));
    }

    [Fact]
    public void Where_nobody_fits_it_is_root_and_the_reason_is_told()
    {
        AssertObstacle("There is no group qubes", new FixedAccounts { HasGroup = false, Users = [System] });
        AssertObstacle("The group qubes has no member, and there is no account qubes-daemon", new FixedAccounts { Users = [Person] });
        AssertObstacle("The first member of the group qubes, gone, is no account", new FixedAccounts { FirstMember = "gone", Users = [System] });
        AssertObstacle("The account root is root's", new FixedAccounts { FirstMember = "root", Users = [RootUser, System] });
        AssertObstacle("/usr/bin/setpriv is missing", new FixedAccounts { CanSwitch = false, Users = [System] });
    }

    [Fact]
    public void It_has_to_get_to_the_root_and_the_programs()
    {
        string closed = Directory.CreateDirectory(Path.Combine(_directory, "closed"), (UnixFileMode)0x1C0 /* 0700 */).FullName;
        string within = Directory.CreateDirectory(Path.Combine(closed, "run")).FullName;
        FixedAccounts accounts = new() { Users = [System] };
        DaemonAccountChoice choice = DaemonAccountChoice.Make(null, [_directory, within], accounts);
        Assert.Equal(new DaemonAccountChoice(null, $"qubes-daemon cannot get to {within}"), choice);
        File.SetUnixFileMode(closed, (UnixFileMode)0x1C1 /* 0701 */);
        Assert.NotNull(DaemonAccountChoice.Make(null, [_directory, within], accounts).Account);
    }

    [Fact]
    public void What_was_asked_for_and_cannot_be_is_an_error()
    {
        Assert.Equal("there is no account nobody-here", Refused(new FixedAccounts(), "nobody-here"));
        Assert.Equal(
            "there is no group qubes, by which joanna would reach the daemon's sockets", Refused(new FixedAccounts { HasGroup = false, Users = [Person] }, "joanna"));
        Assert.Equal("/usr/bin/setpriv is missing", Refused(new FixedAccounts { CanSwitch = false, Users = [Person] }, "joanna"));
    }

    private static void AssertObstacle(string expected, FixedAccounts accounts) =>
        Assert.Equal(new DaemonAccountChoice(null, expected), DaemonAccountChoice.Make(null, ["/"], accounts));

    private static string Refused(FixedAccounts accounts, string asked) =>
        Assert.Throws<ArgumentException>(() => DaemonAccountChoice.Make(asked, ["/"], accounts)).Message;

    private DaemonAccountChoice Make(FixedAccounts accounts, string? asked = null) => DaemonAccountChoice.Make(asked, [_directory], accounts);
}
