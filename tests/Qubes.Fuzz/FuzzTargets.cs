using Qubes.Fuzz.Targets;

namespace Qubes.Fuzz;

/// <summary>The list of targets and the loop that feeds them.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<IFuzzTarget> All { get; } =
    [
        new AdminRequestTarget(),
        new AgentRequestTarget(),
        new BackupProfileTarget(),
        new ChangeDocumentTarget(),
        new PolicyTarget(),
        new PolicyRequestTarget(),
        new PropertyValueTarget(),
        new FirewallRuleTarget(),
        new FirewallXmlTarget(),
        new AuditTarget(),
        new QubesXmlTarget(),
        new DeviceRecordTarget(),
        new StoreJournalTarget(),
        new FileCommitTarget(),
        new KernelEventTarget(),
        new BlockEntriesTarget(),
        new UsbEntriesTarget(),
        new Qcow2HeaderTarget(),
        new LayerTreeTarget(),
        new IntentRecordTarget(),
        new PolicyAnswerTarget(),
        new ServiceConfigurationTarget(),
        new QrexecTarget(),
        new QubesDbTarget(),
        new VchanMuxTarget(),
        new ExtensionMessageTarget(),
        new ExtensionFileTarget(),
        new QubeClassFileTarget(),
    ];

    /// <summary>Runs <paramref name="target"/> over its seeds and then over mutated inputs; reports the first finding.</summary>
    public static bool Explore(IFuzzTarget target, int seed, int iterations)
    {
        byte[][] seeds = [.. target.Seeds];
        Mutator mutator = new(seed);
        byte[] input = [];
        try
        {
            foreach (byte[] valid in seeds)
            {
                input = valid;
                target.Run(input);
            }

            for (int i = 0; i < iterations; i++)
            {
                input = mutator.Next(seeds);
                target.Run(input);
            }
        }
        catch (Exception e)
        {
            Console.WriteLine($"{target.Name}: FAILED with seed {seed} on {Convert.ToHexString(input)}\n{e}");
            return false;
        }

        Console.WriteLine($"{target.Name}: {iterations} inputs, seed {seed}");
        return true;
    }
}
