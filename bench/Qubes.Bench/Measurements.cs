using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Qubes.Bench;

/// <summary>The rows of the design's table: here those that concern the daemon's sockets, start and memory.</summary>
internal sealed class Measurements(BenchOptions options)
{
    private const int Many = 1000;
    private const int Few = 10;

    // What a start or a load has left is given back when nothing happens for a while.
    private static readonly TimeSpan s_untilQuiet = TimeSpan.FromSeconds(6);
    private readonly List<ResultRow> _rows = [];

    public async Task<IReadOnlyList<ResultRow>> RunAsync()
    {
        LoadResult few;
        Say($"{Few} qubes: admin.vm.property.Get");
        await using (ScratchHost host = await ScratchHost.CreateAsync(options.Daemon, options.Root, Few))
        {
            await host.StartAsync();
            few = Get(host);
        }

        await using (ScratchHost host = await ScratchHost.CreateAsync(options.Daemon, options.Root, Many))
        {
            Say($"{Many} qubes: start");
            await MeasureStartAsync(host);
            await host.StartAsync();

            await Task.Delay(s_untilQuiet);
            long memoryAtStart = host.ResidentBytes;
            Say($"{Many} qubes: admin.vm.property.Get");
            MeasureGet(host, few);
            Say($"{Many} qubes: admin.vm.List");
            MeasureList(host);
            Say($"{Many} qubes: admin.vm.property.Set");
            MeasureSet(host);
            Say($"{Many} qubes: policy decisions");
            MeasurePolicy(host);
            Say($"{Many} qubes: admin.state.Get");
            MeasureStateGet(host);
            Say($"{Many} qubes: admin.state.Follow");
            MeasureStateFollow(host);
            await Task.Delay(s_untilQuiet);
            MeasureMemory(memoryAtStart, host.ResidentBytes);
            Say($"{Many} qubes: tools, calls from inside, starts");
            await new ProgramMeasurements(options, host, Add).RunAsync();
        }

        return _rows;
    }

    private static void Say(string what) => Console.WriteLine(what + " ...");

    private static bool IsSuccess(ReadOnlySpan<byte> answer) => answer is [(byte)'0', 0, ..];

    /// <summary>Runs a load and adds what a call costs the daemon, which says more than the clock on a busy machine.</summary>
    private LoadResult Measure(
        ScratchHost host, string socket, int clients, Func<int, int, byte[]> request, Func<ReadOnlySpan<byte>, bool> isGood)
    {
        TimeSpan before = host.ProcessorTime;
        LoadResult result = Load.Run(socket, clients, options.Duration, request, isGood);
        return result with { DaemonTime = (host.ProcessorTime - before) / result.Calls };
    }

    private LoadResult Get(ScratchHost host) => Measure(
        host, host.Paths.AdminSocket, clients: 2,
        Prepared(host, static name => $"admin.vm.property.Get+memory dom0 name {name}\0"), IsSuccess);

    /// <summary>The requests for every qube in turn, written once: making them is not what is measured.</summary>
    private static Func<int, int, byte[]> Prepared(ScratchHost host, Func<string, string> text)
    {
        byte[][] requests = [.. Enumerable.Range(1, host.Qubes).Select(i => Encoding.ASCII.GetBytes(text(ScratchHost.QubeName(i))))];
        return (client, i) => requests[((client * 7) + i) % requests.Length];
    }

    private async Task MeasureStartAsync(ScratchHost host)
    {
        List<TimeSpan> times = [];
        List<TimeSpan> costs = [];
        for (int i = 0; i < options.Starts; i++)
        {
            times.Add(await host.StartAsync());
            costs.Add(host.ProcessorTime);
            await host.StopAsync();
        }

        times.Sort();
        costs.Sort();
        TimeSpan median = times[times.Count / 2];
        Add("start with 1000 qubes, to READY", "<= 150 ms", $"{median.TotalMilliseconds:f0} ms (processor {costs[costs.Count / 2].TotalMilliseconds:f0} ms)", median.TotalMilliseconds <= 150);
    }

    private void MeasureGet(ScratchHost host, LoadResult few)
    {
        LoadResult many = Get(host);
        Add("property.Get, 2 clients, 1000 qubes", ">= 18 000/s", PerSecond(many), many.PerSecond >= 18_000);
        Add("  the same, median", "<= 110 us", Microseconds(many), many.Median.TotalMicroseconds <= 110);

        // Two runs of the same load differ by some percent on a machine that does other things as well.
        Add("  the same, against 10 qubes", ">= 0.95", (many.PerSecond / few.PerSecond).ToString("f2", CultureInfo.InvariantCulture), many.PerSecond >= 0.95 * few.PerSecond);
    }

    private void MeasureList(ScratchHost host)
    {
        byte[] request = "admin.vm.List+ dom0 name dom0\0"u8.ToArray();
        LoadResult list = Measure(
            host, host.Paths.AdminSocket, clients: 2, (_, _) => request,
            answer => IsSuccess(answer) && answer.Count((byte)'\n') == host.Qubes + 2);
        Add("vm.List, 1000 qubes", ">= 3 000/s", PerSecond(list), list.PerSecond >= 3_000);
    }

    private void MeasureSet(ScratchHost host)
    {
        LoadResult Set(int clients) => Measure(
            host, host.Paths.AdminSocket, clients,
            (client, i) => Encoding.ASCII.GetBytes(
                $"admin.vm.property.Set+memory dom0 name {ScratchHost.QubeName(1 + (((client * 61) + i) % host.Qubes))}\0{310 + ((i / host.Qubes) % 50)}"),
            IsSuccess);
        TimeSpan disk = host.MeasureDisk(times: 31);
        LoadResult one = Set(1);
        Add("property.Set, durable, 1 client", "p50 <= 5 ms", string.Create(CultureInfo.InvariantCulture, $"{one.Median.TotalMilliseconds:f2} ms (the disk alone {disk.TotalMilliseconds:f2} ms, daemon {one.DaemonTime.TotalMicroseconds:f0} us)"), one.Median.TotalMilliseconds <= 5);
        LoadResult sixteen = Set(16);
        Add("property.Set, durable, 16 clients", ">= 1 000/s", PerSecond(sixteen), sixteen.PerSecond >= 1_000);
    }

    private void MeasurePolicy(ScratchHost host)
    {
        LoadResult policy = Measure(
            host, host.Paths.PolicySocket, clients: 2,
            Prepared(host, static name => $"source={name}\nintended_target=tmpl\nservice_and_arg=bench.Service7+x\n\n"),
            static answer => answer.StartsWith("user=DEFAULT\nresult=allow\n"u8));
        Add($"policy decisions, {ScratchHost.Rules} rules, 1000 qubes", ">= 10 000/s", PerSecond(policy), policy.PerSecond >= 10_000);
    }

    private void MeasureStateGet(ScratchHost host)
    {
        byte[] request = "admin.state.Get+ dom0 name dom0\0"u8.ToArray();
        int bytes = 0;
        LoadResult get = Measure(host, host.Paths.AdminSocket, clients: 1, (_, _) => request, answer =>
        {
            bytes = answer.Length;
            return IsSuccess(answer) && answer.EndsWith("}}"u8);
        });
        Add("state.Get, 1000 qubes, median", "<= 20 ms", string.Create(CultureInfo.InvariantCulture,
            $"{get.Median.TotalMilliseconds:f1} ms (p99 {get.P99.TotalMilliseconds:f1} ms, daemon {get.DaemonTime.TotalMilliseconds:f1} ms, {Mebibytes(bytes)})"), get.Median.TotalMilliseconds <= 20);
    }

    /// <summary>From before a durable property.Set connects until its change has reached the last of the followers.</summary>
    private void MeasureStateFollow(ScratchHost host)
    {
        const int clients = 100;
        RawCall call = new(host.Paths.AdminSocket);
        string state = Encoding.ASCII.GetString(call.Run("admin.state.Get+ dom0 name dom0\0"u8)[..256]);
        using Followers followers = new(host.Paths.AdminSocket, state.Split("\"position\":\"")[1].Split('"')[0], clients);
        List<TimeSpan> reached = [];
        List<TimeSpan> answered = [];
        for (int i = 0; i < 200; i++)
        {
            byte[] request = Encoding.ASCII.GetBytes($"admin.vm.property.Set+memory dom0 name {ScratchHost.QubeName(1 + i)}\0{400 + i}");
            long begin = Stopwatch.GetTimestamp();
            _ = call.Run(request);
            answered.Add(Stopwatch.GetElapsedTime(begin));
            reached.Add(Stopwatch.GetElapsedTime(begin, followers.WaitForAll()));
        }

        reached.Sort();
        answered.Sort();
        TimeSpan median = reached[reached.Count / 2];
        Add($"a durable change reaches {clients} followers", "<= 10 ms", string.Create(CultureInfo.InvariantCulture,
            $"{median.TotalMilliseconds:f2} ms (p99 {reached[reached.Count * 99 / 100].TotalMilliseconds:f2} ms, the call alone {answered[answered.Count / 2].TotalMilliseconds:f2} ms)"), median.TotalMilliseconds <= 10);
    }

    private void MeasureMemory(long atStart, long afterLoad)
    {
        Add("resident memory at rest, 1000 qubes", "<= 60 MiB", Mebibytes(atStart), atStart <= 60 << 20);
        Add("  the same, after all loads", "<= 60 MiB", Mebibytes(afterLoad), afterLoad <= 60 << 20);
    }

    private static string PerSecond(LoadResult result) =>
        string.Create(CultureInfo.InvariantCulture, $"{result.PerSecond:f0}/s (p50 {result.Median.TotalMicroseconds:f0} us, p99 {result.P99.TotalMicroseconds:f0} us, daemon {result.DaemonTime.TotalMicroseconds:f0} us)");

    private static string Microseconds(LoadResult result) => string.Create(CultureInfo.InvariantCulture, $"{result.Median.TotalMicroseconds:f0} us");

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:f1} MiB");

    private void Add(string what, string target, string measured, bool isHeld)
    {
        _rows.Add(new ResultRow(what, target, measured, isHeld));
        Console.WriteLine($"  {what.Trim()}: {measured}");
    }
}
