namespace Qubes.Model.Changes;

/// <summary>Where a <see cref="ModelChange"/> stands.</summary>
public enum ChangeState
{
    /// <summary>Mutations are being made.</summary>
    Open,

    /// <summary>It holds: its events were delivered.</summary>
    Completed,

    /// <summary>It was undone.</summary>
    RolledBack,
}
