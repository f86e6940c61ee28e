namespace Qubes.Model.Changes;

/// <summary>
/// Follows the state of the model itself rather than its events. Called on the model loop; must not throw. While there is one,
/// the tracker keeps which parts were touched (<see cref="ChangeTracker.TakeTouched"/>).
/// </summary>
public interface IModelObserver
{
    /// <summary>A change that mutated something, or has a revision, holds or was taken back; its events have been delivered.</summary>
    void OnSettled(ModelChange change);

    /// <summary>
    /// Something that the store does not keep changed, outside of any change: the state of a running qube, its devices, its firewall rules
    /// or notes. Several such calls may follow each other at once.
    /// </summary>
    void OnUnsavedChanged();
}
