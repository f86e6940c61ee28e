using Qubes.Protocol.Events;

namespace Qubes.Protocol.Devices;

/// <summary>What a qube tells of a device it has. Immutable. Texts are null where nothing is known.</summary>
public sealed record DeviceInfo : IEventValue
{
    /// <summary>The identity of a device nothing is known of.</summary>
    public const string UnknownId = "0000:0000::?******";

    /// <summary>Where it is and what it is.</summary>
    public required VirtualDevice Device { get; init; }

    /// <summary>Who made it, by a data base of the backend.</summary>
    public string? Vendor { get; init; }

    /// <summary>What it is, by a data base of the backend.</summary>
    public string? Product { get; init; }

    /// <summary>Who made it, by its own words.</summary>
    public string? Manufacturer { get; init; }

    /// <summary>What it is, by its own words.</summary>
    public string? Name { get; init; }

    public string? Serial { get; init; }

    /// <summary>Never empty.</summary>
    public IReadOnlyList<DeviceInterface> Interfaces { get; init; } = [DeviceInterface.Unknown];

    /// <summary>The device of the same backend it is a part of.</summary>
    public DevicePort? Parent { get; init; }

    /// <summary>The name of the qube it is attached to.</summary>
    public string? Attachment { get; init; }

    /// <summary>What else the class tells, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Data { get; init; } = [];

    public DevicePort Port => Device.Port;

    public string EventText => Device.EventText;

    /// <summary>
    /// <c>CATEGORY: VENDOR PRODUCT</c>, with the next best where one is not known; the whole text <c>sub-device of PARENT</c> where a
    /// part of another device has no name.
    /// </summary>
    public string Description
    {
        get
        {
            string? product = Product ?? Name ?? Serial;
            return product is null && Parent is not null
                ? $"sub-device of {Parent}"
                : $"{CategoryText}: {Vendor ?? Manufacturer ?? "unknown vendor"} {product ?? $"unknown {Port.DeviceClass} device"}";
        }
    }

    private string CategoryText
    {
        get
        {
            foreach (DeviceInterface known in Interfaces)
            {
                if (DeviceCategory.Of(known) is { } category && category != DeviceCategory.Other)
                {
                    return category.Name;
                }
            }

            return $"{Port.DeviceClass.ToUpperInvariant()} device";
        }
    }

    public override string ToString() => EventText;
}
