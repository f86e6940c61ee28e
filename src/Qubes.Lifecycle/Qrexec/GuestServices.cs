using Qubes.Linux;

namespace Qubes.Lifecycle.Qrexec;

/// <summary>Calls qrexec services inside running qubes in dom0's name, through qrexec-client. Thread-safe.</summary>
/// <param name="program">qrexec-client.</param>
/// <param name="account">Whom it runs as, since it reads what guests send; null: as we.</param>
public sealed class GuestServices(string program, QubesPaths paths, DaemonAccount? account = null)
{
    /// <summary>The user a service runs as unless its qube or configuration says otherwise.</summary>
    public const string DefaultUser = "DEFAULT";

    // What a service of ours says is for a log or an error text.
    private const int MostOutput = 64 * 1024;

    /// <summary>Runs the service to its end.</summary>
    /// <param name="qube">A running qube.</param>
    /// <param name="service">The service, with or without <c>+ARGUMENT</c>; ours, never from outside.</param>
    /// <param name="user">As whom in the guest.</param>
    /// <param name="input">The service's standard input.</param>
    /// <param name="timeout">After it the call is ended; the service in the guest loses its connection.</param>
    /// <exception cref="TimeoutException">It took too long.</exception>
    /// <exception cref="LinuxException">The program cannot be started.</exception>
    public Task<CapturedProcess> RunAsync(string qube, string service, string user, ReadOnlyMemory<byte> input, TimeSpan timeout,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(service);
        string full = service.Contains('+', StringComparison.Ordinal) ? service : service + "+";
        ChildProcessOptions options = new()
        {
            FileName = program,
            ArgumentZero = "qrexec-client",
            Arguments = ["-d", qube, $"{user}:QUBESRPC {full} dom0"],
            EnvironmentChanges = new Dictionary<string, string?>(StringComparer.Ordinal) { ["QUBES_ROOT"] = paths.Root },
            WorkingDirectory = "/",
            Account = account?.User,
            NoNewPrivileges = true,
        };
        // Starting a process blocks for a moment, and the caller is the model loop.
        return Task.Run(() => ProcessCapture.RunAsync(options, input, MostOutput, timeout, cancellationToken), cancellationToken);
    }
}
