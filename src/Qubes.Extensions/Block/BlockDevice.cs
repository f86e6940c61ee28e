using Qubes.Protocol.Devices;

namespace Qubes.Extensions.Block;

/// <summary>A block device as it is offered.</summary>
/// <param name="Info">What clients are told.</param>
/// <param name="IsReadOnly">Nobody can write to it.</param>
/// <param name="Size">In bytes; 0 if it was not told.</param>
internal sealed record BlockDevice(DeviceInfo Info, bool IsReadOnly, long Size);
