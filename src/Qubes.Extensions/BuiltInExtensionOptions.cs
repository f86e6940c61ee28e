using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Lifecycle;

namespace Qubes.Extensions;

/// <summary>What the built-in extensions have of the world outside of the model; without it they leave that world alone.</summary>
public sealed class BuiltInExtensionOptions
{
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>Where services of dom0 itself are marked as switched on, <c>run/qubes-service</c>.</summary>
    public string? ServiceMarkerDirectory { get; init; }

    /// <summary>The layer that has volumes; asked only once qubes are made.</summary>
    public Func<IQubeLifecycle?> Lifecycle { get; init; } = static () => null;

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
