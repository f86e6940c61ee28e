namespace Qubes.Extensions.OutOfProcess.Configuration;

/// <summary>A file of <c>extensions.d</c> cannot be used; the message says where and why.</summary>
public sealed class ExtensionFormatException(string message) : Exception(message);
