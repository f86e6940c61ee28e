using Qubes.Linux;

namespace Qubes.Store;

/// <summary>Where the store lies and what is kept besides it.</summary>
public sealed record StoreOptions
{
    /// <summary>The store itself, <c>…/var/lib/qubes/qubes.xml</c>.</summary>
    public required string StoreFile { get; init; }

    /// <summary>Directory of the history of changes.</summary>
    public required string HistoryDirectory { get; init; }

    /// <summary>Copies of earlier states of the store that were read or written whole.</summary>
    public int Generations { get; init; } = 3;

    /// <summary>A new generation is made when a save finds the newest one older than this.</summary>
    public TimeSpan GenerationAge { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A history file beyond this many bytes is put aside and a new one begun.</summary>
    public long HistoryFileSize { get; init; } = 8L << 20;

    /// <summary>How many history files are kept besides the current one.</summary>
    public int HistoryFiles { get; init; } = 8;

    /// <summary>The usual places under a root prefix. <c>QUBES_XML_PATH</c> in the environment moves the store.</summary>
    public static StoreOptions For(QubesPaths paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        string? moved = Environment.GetEnvironmentVariable("QUBES_XML_PATH");
        return new StoreOptions
        {
            StoreFile = string.IsNullOrEmpty(moved) ? paths.StoreFile : moved,
            HistoryDirectory = Path.Combine(paths.StateDirectory, "history"),
        };
    }
}
