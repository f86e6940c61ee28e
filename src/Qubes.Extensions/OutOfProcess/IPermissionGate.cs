using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>Extensions that have to be asked before a call of the Admin API is carried out. On the model loop.</summary>
public interface IPermissionGate
{
    /// <summary>Somebody is to be asked about permission events of this name. Costs next to nothing if nobody ever is.</summary>
    bool Concerns(string permissionEvent);

    /// <summary>Asks all of them, at once.</summary>
    /// <returns>For each that limits what the caller may see: which names pass.</returns>
    /// <exception cref="QubesException">One refuses.</exception>
    Task<IReadOnlyList<Func<string, bool>>> AskAsync(QubesEvent permission);
}
