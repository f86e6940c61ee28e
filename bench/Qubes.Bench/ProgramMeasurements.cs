using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Qubes.Bench;

/// <summary>The rows of the design's table that concern whole programs, calls from inside a qube, and the start of one.</summary>
internal sealed class ProgramMeasurements(BenchOptions options, ScratchHost host, Action<string, string, string, bool> add)
{
    // Whose start is measured; made by the daemon itself, so it has volumes.
    private const string Template = "start-template";
    private const string Started = "started";

    private readonly Programs _programs = new(options.Programs, host.Paths.Root);

    public async Task RunAsync()
    {
        string qube = ScratchHost.QubeName(500);
        await MeasureAsync("qvm-prefs QUBE PROPERTY, whole process", 10, "qvm-prefs", [qube, "memory"]);
        await MeasureAsync("qvm-check QUBE, whole process", 10, "qvm-check", ["--quiet", qube]);
        await MeasureAsync("qvm-ls, 1000 qubes, whole process", 60, "qvm-ls", []);
        await using (InsideQube inside = await InsideQube.StartAsync(_programs, host.Paths, number: 1))
        {
            await MeasureAsync("admin call from inside a qube, with its client's process", 5, "qrexec-client-vm",
                [ScratchHost.QubeName(2), "admin.vm.property.Get+memory"], inside.Environment);
        }

        MeasureStart();
    }

    private async Task MeasureAsync(
        string what, double target, string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        IReadOnlyList<TimeSpan> taken = await _programs.MeasureAsync(options.Runs, program, arguments, environment);
        Add(what, target, taken);
    }

    /// <summary>With a hypervisor that does nothing: what is left is ours, the volumes of the start among it.</summary>
    private void MeasureStart()
    {
        RawCall call = new(host.Paths.AdminSocket);
        Do($"admin.vm.Create.TemplateVM+ dom0 name dom0\0name={Template} label=black");
        Do($"admin.vm.Create.AppVM+{Template} dom0 name dom0\0name={Started} label=red");
        List<TimeSpan> taken = [];
        for (int i = 0; i <= options.Runs / 4; i++)
        {
            long before = Stopwatch.GetTimestamp();
            Do($"admin.vm.Start+ dom0 name {Started}\0");
            taken.Add(Stopwatch.GetElapsedTime(before));
            Do($"admin.vm.Kill+ dom0 name {Started}\0");
        }

        taken.Sort();
        Add("start of a qube, without hypervisor and boot", 50, taken);

        void Do(string request)
        {
            if (call.Run(Encoding.ASCII.GetBytes(request)) is not [(byte)'0', 0, ..] and var answer)
            {
                throw new InvalidOperationException($"{request.Replace('\0', ' ')}: {Encoding.UTF8.GetString(answer).Replace('\0', ' ')}");
            }
        }
    }

    private void Add(string what, double target, IReadOnlyList<TimeSpan> sorted)
    {
        double median = sorted[sorted.Count / 2].TotalMilliseconds;
        add(what, string.Create(CultureInfo.InvariantCulture, $"<= {target:f0} ms"), string.Create(CultureInfo.InvariantCulture,
            $"{median:f1} ms (best {sorted[0].TotalMilliseconds:f1} ms, worst {sorted[^1].TotalMilliseconds:f1} ms)"), median <= target);
    }
}
