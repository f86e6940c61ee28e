namespace Qubes.Lifecycle.DomainXml;

/// <summary>A disk of a domain.</summary>
/// <param name="Target">The device's name on its bus: <c>vda</c>.</param>
/// <param name="Path">The image or block device on the host.</param>
/// <param name="Format"><c>raw</c> or <c>qcow2</c>, always said: a guest could make one look like the other.</param>
/// <param name="IsFile">A regular file, not a block device.</param>
/// <param name="IsReadOnly">The guest cannot write.</param>
/// <param name="Serial">The volume's name, by which the guest finds it; for an attached device, the name of it that clients know (<c>xvdi</c>).</param>
/// <param name="IsCdrom">A drive with a disc in it. Only at the start: the drive cannot be plugged.</param>
public sealed record DomainDisk(
    string Target, string Path, string Format, bool IsFile, bool IsReadOnly, string Serial, bool IsCdrom = false);
