using Qubes.Linux;

namespace Qubes.Store;

/// <summary>Where the store lies and what is kept besides it.</summary>
public sealed record StoreOptions
{
    /// <summary>The store itself, <c>…/var/lib/qubes/qubes.xml</c>.</summary>
    public required string StoreFile { get; init; }

    /// <summary>Directory of the history of changes.</summary>
    public required string HistoryDirectory { get; init; }

    /// <summary>The journal of changes not yet in the store's file.</summary>
    public string JournalFile => StoreFile + ".journal";

    /// <summary>The fixed size of the journal; half of it is the most that can be outstanding. A larger change replaces the file itself.</summary>
    public int JournalSize { get; init; } = 4 << 20;

    /// <summary>How long the file of the store may stay behind what the journal has. Infinite: until it is half full, or the end.</summary>
    public TimeSpan FileDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>When to try again to replace the file after a failure.</summary>
    public TimeSpan FileRetry { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long to wait at start for another program that has the store locked.</summary>
    public TimeSpan LockPatience { get; init; } = TimeSpan.FromSeconds(5);

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
