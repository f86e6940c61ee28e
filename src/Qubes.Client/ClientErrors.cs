using Qubes.Protocol.Errors;

namespace Qubes.Client;

/// <summary>The errors a client makes itself, beside those the daemon names.</summary>
public static class ClientErrors
{
    /// <summary>Nothing usable came back.</summary>
    public const string CommunicationError = "QubesDaemonCommunicationError";

    /// <summary>The connection was closed without an answer, or qrexec refused: usually no permission.</summary>
    public const string AccessError = "QubesDaemonAccessError";

    public static QubesException Communication(string text) => new(CommunicationError, text);

    public static QubesException Access(string text) => new(AccessError, text);

    /// <summary>Whether a client should take <paramref name="error"/> for a refusal.</summary>
    public static bool IsAccess(QubesException error) => error.WireName is AccessError or QubesErrorNames.PermissionDenied;
}
