namespace Qubes.Extensions.OutOfProcess;

/// <summary>There is no answer: the extension ended, hangs, or could not carry out what it was asked.</summary>
internal sealed class ExtensionGoneException(string reason) : Exception(reason);
