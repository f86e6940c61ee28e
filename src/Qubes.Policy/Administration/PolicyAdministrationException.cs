namespace Qubes.Policy.Administration;

/// <summary>
/// A call of a <c>policy.*</c> service that cannot be done. The caller gets <c>CLASS MESSAGE</c>; clients of Qubes OS go by the class.
/// </summary>
public sealed class PolicyAdministrationException : Exception
{
    private PolicyAdministrationException(string wireName, string message)
        : base(message) => WireName = wireName;

    /// <summary>The name of the class clients know.</summary>
    public string WireName { get; }

    /// <summary>The call itself is wrong.</summary>
    internal static PolicyAdministrationException Protocol(string message) => new("PolicyAdminProtocolException", message);

    /// <summary>The policy would not be valid.</summary>
    internal static PolicyAdministrationException Syntax(string message) => new("PolicyAdminSyntaxException", message);

    /// <summary>No file of the policy can have that name.</summary>
    internal static PolicyAdministrationException FileName(string untrustedName) => new(
        "PolicyAdminInvalidFileNameException",
        $"Invalid policy file name: {untrustedName}\nNames must contain only alphanumeric characters, underscore and hyphen.");

    /// <summary>The file is a link that leads out of its directory.</summary>
    internal static PolicyAdministrationException FilePath(string directory) => new("PolicyAdminInvalidFilePathException", $"Expecting a path inside {directory}");

    /// <summary>There is no such file.</summary>
    internal static PolicyAdministrationException NotFound(string path) => new("PolicyAdminFileNotFoundException", $"Not found: {path}");

    /// <summary>The file is not as the caller supposes.</summary>
    internal static PolicyAdministrationException Token(string message) => new("PolicyAdminTokenException", message);
}
