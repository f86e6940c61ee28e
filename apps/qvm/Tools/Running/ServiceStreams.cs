namespace Qvm.Tools.Running;

/// <summary>How the standard streams of a service are connected.</summary>
/// <param name="PassIo">Ours, instead of nothing.</param>
/// <param name="LocalCommand">A local program instead of ours.</param>
/// <param name="FilterOutput">Replace control characters in its output.</param>
/// <param name="FilterError">The same for its errors.</param>
/// <param name="Wait">Wait for its end.</param>
internal sealed record ServiceStreams(bool PassIo, string? LocalCommand, bool FilterOutput, bool FilterError, bool Wait);
