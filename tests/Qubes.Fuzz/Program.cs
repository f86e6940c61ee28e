using System.Globalization;
using Qubes.Fuzz;

// qubes-fuzz [--iterations N] [--seed N] [TARGET...]   random inputs, every target when none is named
// qubes-fuzz --afl TARGET                               one target under SharpFuzz's AFL driver
int iterations = 20_000;
int seed = Environment.TickCount;
List<string> names = [];
for (int i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--iterations" when i + 1 < args.Length:
            iterations = int.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        case "--seed" when i + 1 < args.Length:
            seed = int.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        case "--afl" when i + 1 < args.Length:
            IFuzzTarget target = FuzzTargets.All.Single(t => t.Name == args[i + 1]);
            SharpFuzz.Fuzzer.OutOfProcess.Run(stream =>
            {
                using MemoryStream copy = new();
                stream.CopyTo(copy);
                target.Run(copy.GetBuffer().AsSpan(0, (int)copy.Length));
            });
            return 0;
        default:
            names.Add(args[i]);
            break;
    }
}

if (names.Find(n => FuzzTargets.All.All(t => t.Name != n)) is { } unknown)
{
    Console.Error.WriteLine($"unknown target '{unknown}'; known: {string.Join(' ', FuzzTargets.All.Select(t => t.Name))}");
    return 2;
}

int failed = 0;
int passed = 0;
foreach (IFuzzTarget target in FuzzTargets.All.Where(t => names.Count == 0 || names.Contains(t.Name)))
{
    if (FuzzTargets.Explore(target, seed, iterations))
    {
        passed++;
    }
    else
    {
        failed++;
    }
}

Console.WriteLine($"{passed} passed, {failed} failed");
return failed == 0 ? 0 : 1;
