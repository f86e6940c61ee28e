namespace Qubes.Admin.Server;

/// <summary>Takes complete requests off the server, on the model loop.</summary>
public interface IAdminDispatcher
{
    /// <summary>
    /// Handles one request: sooner or later calls <see cref="AdminConnection.Reply"/>, or streams until the connection ends.
    /// </summary>
    /// <param name="connection">Where the reply goes.</param>
    /// <param name="untrustedRequest">All bytes up to the end of the caller's output, valid only during this call.</param>
    void Dispatch(AdminConnection connection, ReadOnlySpan<byte> untrustedRequest);
}
