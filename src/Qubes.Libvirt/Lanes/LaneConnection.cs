namespace Qubes.Libvirt;

/// <summary>A worker's own connection: opened when first needed, reopened when it broke.</summary>
internal sealed class LaneConnection(Func<LibvirtConnection> open) : IDisposable
{
    private LibvirtConnection? _connection;

    /// <summary>Makes the call; on a broken connection once more on a new one. Functions find their domains anew, so they can be repeated.</summary>
    internal T Call<T>(Func<LibvirtConnection, T> function)
    {
        _connection ??= open();
        try
        {
            return function(_connection);
        }
        catch (LibvirtException) when (!_connection.IsAlive)
        {
            _connection.Dispose();
            _connection = null;
            _connection = open();
            return function(_connection);
        }
    }

    public void Dispose() => _connection?.Dispose();
}
