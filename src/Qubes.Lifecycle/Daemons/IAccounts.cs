using Qubes.Linux;

namespace Qubes.Lifecycle.Daemons;

/// <summary>What a choice of account depends on.</summary>
public interface IAccounts
{
    bool IsRoot { get; }

    uint CurrentUserId { get; }

    /// <summary>The program that becomes somebody else is there.</summary>
    bool CanSwitch { get; }

    uint? FindGroup(string name);

    string? FindFirstMember(string group);

    UserAccount? FindUser(string name);
}
