using Qubes.Lifecycle.DomainXml;
using Qubes.Model.Classes;
using Qubes.Protocol.Devices;

namespace Qubes.Extensions.Block;

/// <summary>A device that is given to a qube, or about to be.</summary>
internal sealed class BlockAttachment(LocalQube frontend, DeviceInfo device)
{
    public LocalQube Frontend { get; } = frontend;

    public DeviceInfo Device { get; } = device;

    /// <summary>The disk in the domain; null until its name is chosen.</summary>
    public DomainDisk? Disk { get; set; }

    /// <summary>The options in force.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Options { get; set; } = [];

    /// <summary>The qube has it. Until then nobody else may get it.</summary>
    public bool IsMade { get; set; }
}
