using Qubes.Protocol.Errors;

namespace Qubes.Admin.Planning;

/// <summary>
/// Finds an order in which all steps of a document succeed, by trying them on a copy of the model: what fails is tried again after what
/// did not, so that the order in the document means nothing and only the outcome has to be valid.
/// </summary>
internal static class ChangeOrder
{
    // Each round carries out at least one step; real documents need two or three.
    private const int MaxRounds = 32;

    /// <returns>The steps in the order that succeeded, without those that change nothing.</returns>
    /// <exception cref="QubesException">Some step cannot succeed, or does not last. Begins with its place.</exception>
    public static async Task<IReadOnlyList<ChangeStep>> FindAsync(ChangeRunner copy, IReadOnlyList<ChangeStep> steps)
    {
        List<(ChangeStep Step, string Outcome)> done = [];
        List<ChangeStep> kept = [];
        List<ChangeStep> pending = [.. steps.OrderBy(Phase)];
        for (int round = 0; pending.Count > 0; round++)
        {
            List<ChangeStep> failed = [];
            QubesException? first = null;
            foreach (ChangeStep step in pending)
            {
                try
                {
                    if (!copy.IsDone(step))
                    {
                        await copy.RunAsync(step);
                        kept.Add(step);
                    }

                    done.Add((step, step is RemoveStep ? "" : copy.Describe(step)));
                }
                catch (QubesException e)
                {
                    first ??= PlacedError.At(step.Place, e);
                    failed.Add(step);
                }
            }

            if (failed.Count == pending.Count || (failed.Count > 0 && round == MaxRounds))
            {
                throw first!;
            }

            pending = failed;
        }

        foreach ((ChangeStep step, string outcome) in done)
        {
            if (step is not (RemoveStep or CreateStep) && copy.Describe(step) != outcome)
            {
                throw QubesErrors.Value($"{step.Place}: does not last, another change of the document has an effect on it");
            }
        }

        return kept;
    }

    /// <summary>Tried first what others need, last what others must let go.</summary>
    private static int Phase(ChangeStep step) => step switch
    {
        LabelStep { UntrustedColor: not null } => -1,
        CreateStep => 0,
        FeatureStep { UntrustedValue: not null } or TagStep { IsSet: true } => 1,
        PropertyStep { UntrustedName: "provides_network" or "template_for_dispvms", UntrustedValue: not (null or "False") } => 2,
        PropertyStep { UntrustedName: "provides_network" or "template_for_dispvms" } => 4,
        PropertyStep => 3,
        RemoveStep => 6,
        LabelStep => 7,
        _ => 5,
    };
}
