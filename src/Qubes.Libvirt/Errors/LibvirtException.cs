namespace Qubes.Libvirt;

/// <summary>libvirt refused or failed a call.</summary>
/// <param name="call">The call, for example <c>virDomainCreateWithFlags</c>.</param>
/// <param name="error">What went wrong.</param>
/// <param name="message">libvirt's own text.</param>
/// <param name="detail">libvirt's second error string: what the error is about, for some errors.</param>
public sealed class LibvirtException(string call, LibvirtError error, string message, string? detail = null)
    : Exception(message)
{
    public string Call { get; } = call;

    public LibvirtError Error { get; } = error;

    public string? Detail { get; } = detail;
}
