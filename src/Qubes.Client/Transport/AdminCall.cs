namespace Qubes.Client.Transport;

/// <summary>One Admin API call as a client states it.</summary>
/// <param name="Destination">The qube the call is about, <c>dom0</c> for the system.</param>
/// <param name="Method">For example <c>admin.vm.property.Get</c>.</param>
/// <param name="Argument">The text after <c>+</c>; empty when the call takes none.</param>
/// <param name="Payload">Raw bytes, at most what the daemon takes (65536 with the header).</param>
public sealed record AdminCall(string Destination, string Method, string Argument = "", ReadOnlyMemory<byte> Payload = default);
