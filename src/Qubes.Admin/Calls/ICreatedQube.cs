namespace Qubes.Admin.Calls;

/// <summary>A qube whose data is on disk and that the store does not have yet: ended with exactly one of the two methods.</summary>
public interface ICreatedQube
{
    /// <summary>The store has it.</summary>
    Task ConfirmAsync();

    /// <summary>The store does not get it: removes the data.</summary>
    Task DiscardAsync();
}
