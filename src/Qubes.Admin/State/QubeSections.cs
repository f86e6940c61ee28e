namespace Qubes.Admin.State;

/// <summary>The sections of a qube's state, each of which a caller may see or not; without <see cref="Base"/> it sees nothing of the qube.</summary>
[Flags]
internal enum QubeSections
{
    None = 0,

    /// <summary>Class, power state, properties, features and tags.</summary>
    Base = 1,

    /// <summary>What is assigned.</summary>
    Devices = 2,

    /// <summary>What is attached.</summary>
    Attached = 4,
    Firewall = 8,
    Notes = 16,
    All = Base | Devices | Attached | Firewall | Notes,
}
