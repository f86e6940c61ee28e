using Qubes.Lifecycle.Disposables;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Qrexec;

/// <summary>Services that guests are waited for by; their failure is an error callers can be told.</summary>
public sealed class QrexecServices(GuestServices services) : IGuestServices
{
    /// <inheritdoc/>
    public async Task RunAsync(QubesVM qube, string service, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(qube);
        try
        {
            // The caller keeps the deadline.
            CapturedProcess run = await services.RunAsync(
                qube.Name, service, GuestServices.DefaultUser, input: default, Timeout.InfiniteTimeSpan, cancellationToken);
            if (!run.Exit.IsSuccess)
            {
                throw QubesErrors.VM($"{service} in {qube.Name} ended with status {run.Exit.ShellStatus}");
            }
        }
        catch (LinuxException failure)
        {
            throw new QubesException(QubesErrorNames.VMError, $"{service} in {qube.Name} cannot be run: {failure.Message}", failure);
        }
    }
}
