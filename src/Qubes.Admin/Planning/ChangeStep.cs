namespace Qubes.Admin.Planning;

/// <summary>One change of a document, as small as a call of the API.</summary>
/// <param name="Place">Where it stands in the document, as a JSON pointer.</param>
/// <param name="UntrustedQube">The name of the qube; empty for the system.</param>
internal abstract record ChangeStep(string Place, string UntrustedQube);
