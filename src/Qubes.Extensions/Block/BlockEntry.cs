namespace Qubes.Extensions.Block;

/// <summary>What a backend tells of one block device, before anything of it is believed.</summary>
/// <param name="PortId">The device's name: <c>[a-z0-9-]{1,12}</c>.</param>
/// <param name="UntrustedDescription"><c>MODEL (LABEL)</c>, with <c>_</c> for blanks in the model.</param>
/// <param name="UntrustedSize">Bytes, decimal.</param>
/// <param name="UntrustedMode"><c>w</c> or <c>r</c>.</param>
/// <param name="UntrustedParent">The disk of a partition, or <c>PORT:INTERFACE</c> of a USB device; empty for neither.</param>
internal sealed record BlockEntry(
    string PortId, string? UntrustedDescription, string? UntrustedSize, string? UntrustedMode, string? UntrustedParent);
