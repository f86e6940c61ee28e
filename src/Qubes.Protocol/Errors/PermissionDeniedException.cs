namespace Qubes.Protocol.Errors;

/// <summary>Refusal of a call the caller may not make, and of an argument outside the list of allowed ones.</summary>
public sealed class PermissionDeniedException(string message) : QubesException(QubesErrorNames.PermissionDenied, message);
