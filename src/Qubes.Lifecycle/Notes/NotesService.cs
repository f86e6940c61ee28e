using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Model.Notes;
using Qubes.Protocol.Errors;
using Qubes.Store.Notes;

namespace Qubes.Lifecycle.Notes;

/// <summary>
/// The notes of all qubes; <see cref="Files.QubeFiles"/> changes them. Called on the model loop; files are read off it. A file edited by hand
/// shows at the next reading.
/// </summary>
public sealed class NotesService(QubesPaths paths)
{
    private readonly KeyedAsyncLocks<QubesVM> _locks = new(ReferenceEqualityComparer.Instance);

    /// <summary>Empty without notes.</summary>
    /// <exception cref="QubesException">They cannot be read.</exception>
    public async Task<string> GetAsync(QubesVM qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        using (await LockAsync(qube))
        {
            return await ReadAsync(qube);
        }
    }

    /// <summary>Afterwards it is known which notes the qube has, or that they cannot be read.</summary>
    public async Task EnsureLoadedAsync(QubesVM qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        if (!qube.Notes.IsLoaded)
        {
            using (await LockAsync(qube))
            {
                await TryReadAsync(qube);
            }
        }
    }

    /// <summary>Held while notes are read or replaced.</summary>
    internal ValueTask<KeyedAsyncLocks<QubesVM>.Holder> LockAsync(QubesVM qube) => _locks.AcquireAsync(qube);

    /// <summary>Null if they cannot be read. With the lock held.</summary>
    internal async Task<string?> TryReadAsync(QubesVM qube)
    {
        try
        {
            return await ReadAsync(qube);
        }
        catch (QubesException)
        {
            // Whoever asks for the text is told why there is none.
            return null;
        }
    }

    private async Task<string> ReadAsync(QubesVM qube)
    {
        string path = Path.Combine(paths.StateDirectory, qube.DirectoryName, NotesFile.Name);
        try
        {
            (string text, string digest) = await Task.Run(() =>
            {
                string read = NotesFile.Read(path);
                return (read, QubeNotes.DigestOf(read));
            });
            qube.Notes.Load(digest);
            return text;
        }
        catch (IOException e)
        {
            qube.Notes.Load(null);
            throw new QubesException(QubesErrorNames.QubesException, $"Failed to read notes file: {e.Message}", e);
        }
    }
}
