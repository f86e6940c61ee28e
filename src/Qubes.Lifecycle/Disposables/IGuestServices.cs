using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Disposables;

/// <summary>Runs services in qubes, in dom0's name.</summary>
public interface IGuestServices
{
    /// <summary>Runs a service to its end, without input.</summary>
    /// <exception cref="QubesException">It could not be run, or failed.</exception>
    Task RunAsync(QubesVM qube, string service, CancellationToken cancellationToken);
}
