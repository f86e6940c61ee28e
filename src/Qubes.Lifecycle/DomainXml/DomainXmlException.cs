namespace Qubes.Lifecycle.DomainXml;

/// <summary>A domain's description cannot be written so that it reads back as what was meant.</summary>
public sealed class DomainXmlException(string message, Exception? inner = null) : Exception(message, inner);
