using Qubes.Linux;

namespace Qubes.Lifecycle.Daemons;

/// <summary>This host's accounts.</summary>
public sealed class HostAccounts : IAccounts
{
    public bool IsRoot => UserAccount.IsRoot;

    public uint CurrentUserId => UserAccount.CurrentUserId;

    public bool CanSwitch => FileStatus.IsExecutable(AccountSwitch.Program);

    public uint? FindGroup(string name) => GroupDatabase.FindId(name);

    public string? FindFirstMember(string group) => GroupDatabase.FindFirstMember(group);

    public UserAccount? FindUser(string name) => AccountDatabase.Find(name);
}
