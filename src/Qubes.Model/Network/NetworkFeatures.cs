namespace Qubes.Model.Network;

/// <summary>Features of the network that are the system's own.</summary>
public static class NetworkFeatures
{
    /// <summary>
    /// On a qube whose netvm was changed while it was paused, until it goes on: the name of the netvm it is still connected to, empty
    /// for none.
    /// </summary>
    public const string Deferred = "deferred-netvm-original";
}
