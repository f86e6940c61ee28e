namespace Qvm.Tools.Running;

/// <summary>A qrexec service to run in a qube.</summary>
/// <param name="Service">Name, with <c>+argument</c> if there is one.</param>
/// <param name="Prefix">Sent before standard input.</param>
/// <param name="User">User in the qube, or null for the qube's default.</param>
internal sealed record ServiceCall(string Service, string Prefix, string? User);
