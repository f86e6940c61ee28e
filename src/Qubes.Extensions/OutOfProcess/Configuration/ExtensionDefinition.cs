using Qubes.Model.Classes;
using Qubes.Model.Events;

namespace Qubes.Extensions.OutOfProcess.Configuration;

/// <summary>One file of <c>extensions.d</c>: a program, and which events need its consent.</summary>
public sealed record ExtensionDefinition
{
    /// <summary>The file's name without its ending.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute path.</summary>
    public required string Program { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Events that do not happen while this extension cannot be asked.</summary>
    public IReadOnlyList<EventPattern> Required { get; init; } = [];

    /// <summary>Absolute path of the file that says which classes of qubes it brings; null: none.</summary>
    public string? ClassFile { get; init; }

    /// <summary>The classes of qubes it brings.</summary>
    public IReadOnlyList<QubeClass> Classes { get; init; } = [];

    /// <summary>How long it has for an answer about an event.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long it may be silent while it works on what it was asked as a storage driver.</summary>
    public TimeSpan StorageDeadline { get; init; } = TimeSpan.FromSeconds(60);

    public bool IsEnabled { get; init; } = true;
}
