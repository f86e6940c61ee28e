using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Model.Notes;
using Qubes.Protocol.Errors;
using Qubes.Store.Notes;

namespace Qubes.Lifecycle.Notes;

/// <summary>
/// The notes of all qubes. Called on the model loop; files are read and written off it. A file edited by hand shows at the next reading.
/// </summary>
public sealed class NotesService(QubesPaths paths)
{
    // Keeps the order in which callers are answered the order in which files are replaced.
    private readonly KeyedAsyncLocks<QubesVM> _locks = new(ReferenceEqualityComparer.Instance);

    /// <summary>Empty without notes.</summary>
    /// <exception cref="QubesException">They cannot be read.</exception>
    public async Task<string> GetAsync(QubesVM qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        using (await _locks.AcquireAsync(qube))
        {
            return await ReadAsync(qube);
        }
    }

    /// <summary>Replaces the notes; on return they are durable. No text removes them.</summary>
    /// <exception cref="QubesException">They cannot be written; the old ones stand.</exception>
    public async Task SetAsync(QubesVM qube, string text)
    {
        ArgumentNullException.ThrowIfNull(qube);
        string path = PathOf(qube);
        using (await _locks.AcquireAsync(qube))
        {
            try
            {
                string digest = await Task.Run(() =>
                {
                    NotesFile.Write(path, text);
                    return QubeNotes.DigestOf(text);
                });
                qube.Notes.Load(digest);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new QubesException(QubesErrorNames.QubesException, $"Failed to write notes file: {e.Message}", e);
            }
        }
    }

    /// <summary>Afterwards it is known which notes the qube has, or that they cannot be read.</summary>
    public async Task EnsureLoadedAsync(QubesVM qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        if (qube.Notes.IsLoaded)
        {
            return;
        }

        try
        {
            await GetAsync(qube);
        }
        catch (QubesException)
        {
            // Whoever asks for the text is told why there is none.
        }
    }

    private async Task<string> ReadAsync(QubesVM qube)
    {
        string path = PathOf(qube);
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

    private string PathOf(QubesVM qube) => Path.Combine(paths.StateDirectory, qube.DirectoryName, NotesFile.Name);
}
