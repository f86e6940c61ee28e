using Qubes.Lifecycle.Daemons;
using Qubes.Linux;

namespace Qubes.Lifecycle.Tests.Daemons;

/// <summary>A host's accounts, made up.</summary>
internal sealed class FixedAccounts : IAccounts
{
    public const uint QubesGroup = 901;

    public bool IsRoot { get; init; } = true;

    public uint CurrentUserId => IsRoot ? 0u : 1000;

    public bool CanSwitch { get; init; } = true;

    public bool HasGroup { get; init; } = true;

    public string? FirstMember { get; init; }

    public IReadOnlyList<UserAccount> Users { get; init; } = [];

    public uint? FindGroup(string name) => HasGroup && name == "qubes" ? QubesGroup : null;

    public string? FindFirstMember(string group) => group == "qubes" ? FirstMember : null;

    public UserAccount? FindUser(string name) => Users.FirstOrDefault(user => user.Name == name);
}
