using Microsoft.Extensions.Logging;
using Qubes.Protocol.Errors;
using Qubes.Store.Format;
using Qubes.Store.Loading;
using Qubes.Store.Saving;

namespace Qubes.Store.Inspection;

/// <summary>The last good states of the store, and the way back to one. Works without the daemon.</summary>
public static class StoreGenerations
{
    /// <summary>The store and what is kept of earlier ones, newest first.</summary>
    public static IReadOnlyList<StoreGeneration> List(StoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return [.. Enumerable.Range(0, options.Generations + 1).Select(number => Describe(number, PathOf(options, number))).OfType<StoreGeneration>()];
    }

    /// <summary>Makes a generation the store. What was there is kept, as is its journal, which belongs to it.</summary>
    /// <returns>The name the store was kept under; null when there was none.</returns>
    /// <exception cref="QubesException">The generation cannot be read, or a daemon has the store.</exception>
    public static string? Restore(StoreOptions options, int number, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        string path = PathOf(options, number);
        if (number < 1 || Describe(number, path) is not { } generation)
        {
            throw QubesErrors.General($"there is no generation {number}");
        }

        if (generation.Damage is { } damage)
        {
            throw QubesErrors.General($"{path} is damaged: {damage}");
        }

        byte[] content = File.ReadAllBytes(path);
        using StoreFile file = new(options, TimeProvider.System, logger);
        if (file.Exists)
        {
            file.Read();
        }

        if (File.Exists(options.JournalFile))
        {
            // First: without it the store is at most older, with it beside another store a start would complain.
            File.Move(options.JournalFile, file.FreeName("journal-replaced"));
        }

        if (!file.Exists)
        {
            file.Create(content);
            return null;
        }

        return file.ReplaceKeeping(content, "replaced");
    }

    private static string PathOf(StoreOptions options, int number) => number == 0 ? options.StoreFile : StoreFile.GenerationPath(options.StoreFile, number);

    private static StoreGeneration? Describe(int number, string path)
    {
        FileInfo info = new(path);
        if (!info.Exists)
        {
            return null;
        }

        bool isGood = StoreRecovery.TryParse(File.ReadAllBytes(path), out StoreDocument? document, out string damage);
        return new StoreGeneration(number, path, info.LastWriteTimeUtc, info.Length, document?.Revision ?? 0, document?.Qubes.Count ?? 0, isGood ? null : damage);
    }
}
