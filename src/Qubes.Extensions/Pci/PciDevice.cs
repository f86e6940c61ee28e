using Qubes.Lifecycle.DomainXml;
using Qubes.Protocol.Devices;

namespace Qubes.Extensions.Pci;

/// <summary>A PCI device of the host.</summary>
internal sealed record PciDevice(DeviceInfo Info, PciAddress Address);
