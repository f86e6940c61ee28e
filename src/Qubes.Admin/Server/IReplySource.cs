namespace Qubes.Admin.Server;

/// <summary>
/// The rest of a reply that is too large to be put together at once: told in parts, as the caller takes them. What it tells is fixed when it is
/// made; it holds only what others keep anyway. Called on the loop.
/// </summary>
public interface IReplySource
{
    /// <summary>Writes the next part, some ten KiB.</summary>
    /// <returns>False: that was the last one.</returns>
    bool WriteNext(ReplyBuffer output);
}
