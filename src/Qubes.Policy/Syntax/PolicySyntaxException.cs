namespace Qubes.Policy.Syntax;

/// <summary>Leaves a statement that is not valid; the loader adds the file and line and goes on with the next.</summary>
internal sealed class PolicySyntaxException(string message) : Exception(message);
