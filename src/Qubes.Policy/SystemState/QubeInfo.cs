using System.Collections.Immutable;

namespace Qubes.Policy.SystemState;

/// <summary>What policy needs to know of one qube; the fields of <c>internal.GetSystemInfo</c>.</summary>
public sealed record QubeInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its class: <c>AdminVM</c>, <c>AppVM</c>, <c>TemplateVM</c>, <c>StandaloneVM</c>, <c>DispVM</c>, <c>RemoteVM</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Its uuid in lower case, empty if not known.</summary>
    public string Uuid { get; init; } = "";

    /// <summary>Its tags.</summary>
    public ImmutableArray<string> Tags { get; init; } = [];

    /// <summary>The feature <c>internal</c>: a qube with a value other than the empty one is not offered to people.</summary>
    public string? Internal { get; init; }

    /// <summary>Whether disposables may be made from it.</summary>
    public bool TemplateForDispvms { get; init; }

    /// <summary>The template of the disposables it asks for without naming one.</summary>
    public string? DefaultDispvm { get; init; }

    /// <summary>Icon name of its label, as <c>appvm-red</c>.</summary>
    public string Icon { get; init; } = "";

    /// <summary>Colour of its label, as <c>0xcc0000</c>.</summary>
    public string Label { get; init; } = "";

    /// <summary>The qube a person is asked and told in about its calls.</summary>
    public string? Guivm { get; init; }

    /// <summary>For a RemoteVM: the local qube calls go through.</summary>
    public string? Relayvm { get; init; }

    /// <summary>For a RemoteVM: the service of the relay that carries calls.</summary>
    public string? TransportRpc { get; init; }

    /// <summary><c>Running</c>, <c>Halted</c>, <c>Paused</c>, …</summary>
    public string PowerState { get; init; } = "Halted";

    /// <summary>True for a qube on another machine, reached through a relay.</summary>
    public bool IsRemote => Type == "RemoteVM";

    /// <summary>True if the qube carries the tag.</summary>
    public bool HasTag(string tag) => Tags.Contains(tag, StringComparer.Ordinal);
}
