namespace Qubes.Libvirt;

/// <summary>A call that has overrun its deadline and has not returned.</summary>
/// <param name="Lane">Whose call: a qube's name.</param>
/// <param name="Call">What it does, for people: "start", "suspend".</param>
/// <param name="Since">When it began.</param>
public sealed record HungCall(string Lane, string Call, DateTimeOffset Since);
