namespace Qubes.Protocol.Errors;

/// <summary>An error meant for the caller of the Admin API: its wire name and its text travel in the error reply as they are.</summary>
public class QubesException : Exception
{
    public QubesException(string wireName, string message)
        : base(message) => WireName = wireName;

    public QubesException(string wireName, string message, Exception? inner)
        : base(message, inner) => WireName = wireName;

    /// <summary>A plain <c>QubesException</c>.</summary>
    public QubesException(string message)
        : this(QubesErrorNames.QubesException, message)
    {
    }

    /// <summary>The class name clients map to one of their exception classes; see <see cref="QubesErrorNames"/>.</summary>
    public string WireName { get; }

    /// <summary>True if this is <paramref name="wireName"/> or derives from it in the hierarchy clients know.</summary>
    public bool Is(string wireName) => QubesErrorNames.IsOrDerives(WireName, wireName);
}
