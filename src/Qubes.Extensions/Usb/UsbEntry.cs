namespace Qubes.Extensions.Usb;

/// <summary>What a backend tells of one USB device, before anything of it is believed.</summary>
/// <param name="PortId">Where it is plugged in: bus and ports, <c>1-4.2</c>.</param>
/// <param name="UntrustedDescription"><c>VVVV:PPPP MANUFACTURER NAME SERIAL</c>, four words, other characters as <c>\xHH</c>.</param>
/// <param name="UntrustedInterfaces"><c>:080650:030101:</c>, class, subclass and protocol of each.</param>
/// <param name="UntrustedFrontend">The qube it is given to; null or empty for none.</param>
internal sealed record UsbEntry(string PortId, string? UntrustedDescription, string? UntrustedInterfaces, string? UntrustedFrontend);
