namespace Qubes.Storage;

/// <summary>
/// A volume's last committed state, readable as raw bytes at <see cref="Path"/> until disposed, whatever happens to the volume
/// meanwhile. Writing to it is forbidden.
/// </summary>
public sealed class VolumeExport : IAsyncDisposable
{
    private readonly Func<CancellationToken, Task>? _fill;
    private Func<Task>? _release;

    /// <param name="path">Absolute.</param>
    /// <param name="release">Removes what was made for the export.</param>
    /// <param name="fill">Makes the file at the path; done while the volume is free for others.</param>
    internal VolumeExport(string path, Func<Task>? release = null, Func<CancellationToken, Task>? fill = null)
    {
        Path = path;
        _release = release;
        _fill = fill;
    }

    public string Path { get; }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _release, null) is { } release)
        {
            await release();
        }
    }

    internal Task FillAsync(CancellationToken cancellationToken) => _fill?.Invoke(cancellationToken) ?? Task.CompletedTask;
}
