using Qubes.Client;
using Qubes.Protocol.Errors;

namespace Qvm.Tools;

/// <summary>Does the same to several qubes at the same time.</summary>
internal static class GenericAction
{
    /// <summary>Runs <paramref name="action"/> for every qube, each on a connection of its own; a qube that is not started is no failure if so asked.</summary>
    /// <returns>The qubes for which it failed, with the reasons, in the order given.</returns>
    public static async Task<IReadOnlyList<(QubeInfo Qube, QubesException Error)>> RunAsync(
        IEnumerable<QubeInfo> qubes, Func<QubeInfo, Task> action, bool ignoreNotStarted = false)
    {
        async Task<(QubeInfo, QubesException?)> OneAsync(QubeInfo qube)
        {
            try
            {
                await action(qube);
                return (qube, null);
            }
            catch (QubesException e)
            {
                return (qube, ignoreNotStarted && e.Is(QubesErrorNames.VMNotStarted) ? null : e);
            }
        }

        (QubeInfo Qube, QubesException? Error)[] results = await Task.WhenAll(qubes.Select(OneAsync));
        return [.. results.Where(r => r.Error is not null).Select(r => (r.Qube, r.Error!))];
    }
}
