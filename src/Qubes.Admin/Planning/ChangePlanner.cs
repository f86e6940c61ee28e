using Qubes.Admin.Calls;
using Qubes.Admin.Permissions;
using Qubes.Admin.State;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Policy.SystemState;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Planning;

/// <summary>
/// Tries a document on a copy of the model, off the loop, so that nothing happens for real and nobody waits. One at a time: a copy of a
/// large system takes memory.
/// </summary>
public sealed class ChangePlanner
{
    private readonly AsyncLock _one = new();
    private readonly Action<QubesApp> _prepareCopy;

    /// <param name="prepareCopy">Attaches to a copy the handlers that change nothing but the model.</param>
    public ChangePlanner(Action<QubesApp>? prepareCopy = null) => _prepareCopy = prepareCopy ?? (static _ => { });

    /// <summary>
    /// Asks permission for every step, then finds out what they would do. Call it on the loop; it returns there.
    /// </summary>
    /// <param name="call">In whose name.</param>
    /// <param name="steps">What to do.</param>
    /// <param name="check">Looks at the model as it is, before anything is tried.</param>
    internal async Task<ChangePlan> PlanAsync(AdminCall call, IReadOnlyList<ChangeStep> steps, Action<QubesApp>? check = null)
    {
        HashSet<string> created = [.. steps.OfType<CreateStep>().Select(step => step.UntrustedQube)];
        CallPolicy policy = CallPolicy.Of(call.Services.Policies, call.Services.SystemInfo);
        foreach (ChangeStep step in steps.Where(step => step is CreateStep || !created.Contains(step.UntrustedQube)))
        {
            // Policy first: to whom it says no it does not matter what there is.
            policy.Require(call.Source, step);
            ChangeCalls.Permit(call, step);
            CheckOutside(call, step);
        }

        using AsyncLock.Holder held = await _one.AcquireAsync();
        await FileChanges.LoadAsync(call, steps);
        QubesApp copy = ModelCopy.Of(call.App);
        _prepareCopy(copy);
        AdminExtension.RegisterModelRules(copy);
        check?.Invoke(copy);
        string creator = Creator(call.Source);
        Qube caller = copy.Domains.TryGet(call.Source.Name, out Qube? found) ? found : call.Source;
        Policy.Loading.LoadedPolicy rules = call.Services.Policies.Current();
        return await Task.Run(() => TryAsync(copy, caller, creator, steps, created, rules));
    }

    /// <summary>What new qubes take, and they themselves: done before their data is made.</summary>
    internal static bool IsFirst(ChangeStep step) => step is CreateStep or LabelStep { UntrustedColor: not null };

    /// <summary>Tags hold no dot, which a qube's name may: it is written as an underscore.</summary>
    internal static string Creator(Qube source) => source.Name.Value.Replace('.', '_');

    /// <summary>What layers say that a copy of the model does not have.</summary>
    internal static void CheckOutside(AdminCall call, ChangeStep step)
    {
        try
        {
            if (step is DeviceStep device)
            {
                DeviceChanges.CheckWithSource(call.App, device);
            }

            StorageChanges.Check(call, step);
        }
        catch (QubesException e)
        {
            throw PlacedError.At(step.Place, e);
        }
    }

    private static async Task<ChangePlan> TryAsync(
        QubesApp copy, Qube caller, string creator, IReadOnlyList<ChangeStep> steps, HashSet<string> created, Policy.Loading.LoadedPolicy rules)
    {
        StateImages images = new(copy);
        SystemInfoSource system = new(copy);
        SystemInfo before = system.Current;
        ChangeRunner runner = new(copy, creator);
        using ModelChange change = copy.Changes.Begin(new ChangeOrigin(caller.Name, "try", default));
        List<ChangeStep> order = [.. await ChangeOrder.FindAsync(runner, [.. steps.Where(IsFirst)])];

        // What else a new qube gets is decided by what it is just after its creation, as it would be for single calls.
        CallPolicy policy = new(rules, system.Current);
        foreach (ChangeStep step in steps.Where(step => step is not CreateStep && created.Contains(step.UntrustedQube)))
        {
            policy.Require(caller, step);
        }

        order.AddRange(await ChangeOrder.FindAsync(runner, [.. steps.Where(step => !IsFirst(step))]));
        change.Complete();
        RightsReview review = new(rules, before, system.Current);
        IReadOnlyList<WidenedRight> rights = review.Run();
        StateDelta delta = images.Refresh(new HashSet<ModelPart>(), [], everything: true);
        return new ChangePlan
        {
            Steps = order, Delta = delta, System = images.System, Rights = rights, RightsAreComplete = review.IsComplete,
        };
    }
}
