namespace Qubes.Qrexec.Data;

/// <summary>Reads one source until told to read another one instead; the first is closed then, and what was not read of it is lost.</summary>
internal sealed class SwitchingSource(ILocalSource first, Task<ILocalSource>? switched) : ILocalSource
{
    private ILocalSource _current = first;
    private Task<ILocalSource>? _switched = switched;

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_switched is null)
        {
            return await _current.ReadAsync(buffer, cancellationToken);
        }

        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<int> read = _current.ReadAsync(buffer, stop.Token).AsTask();
        if (await Task.WhenAny(read, _switched) == read && !_switched.IsCompleted)
        {
            return await read;
        }

        await stop.CancelAsync();
        await ((Task)read).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        _current.Close();
        _current = await _switched;
        _switched = null;
        return await _current.ReadAsync(buffer, cancellationToken);
    }

    public void Close() => _current.Close();
}
