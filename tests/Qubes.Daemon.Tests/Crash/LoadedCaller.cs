using System.Globalization;

namespace Qubes.Daemon.Tests.Crash;

/// <summary>
/// One of several callers at the same time, each with qubes of its own. It remembers what the daemon has acknowledged, and what it has asked for
/// and got no answer to.
/// </summary>
internal sealed class LoadedCaller(string prefix, int seed)
{
    private readonly Random _random = new(seed);
    private int _made;

    /// <summary>Qubes that must be there, with the values their feature may have.</summary>
    public Dictionary<string, HashSet<string>> Qubes { get; } = new(StringComparer.Ordinal);

    /// <summary>Qubes whose creation or removal got no answer: there or not, but whole.</summary>
    public HashSet<string> Uncertain { get; } = new(StringComparer.Ordinal);

    /// <summary>Qubes that must not be there.</summary>
    public HashSet<string> Gone { get; } = new(StringComparer.Ordinal);

    /// <summary>Makes calls until one gets no answer; tells of each that did.</summary>
    public async Task RunAsync(QubesdProcess daemon, Action answered)
    {
        while (await StepAsync(daemon))
        {
            answered();
        }
    }

    /// <summary>After a restart: what was uncertain is known now.</summary>
    public async Task CheckAsync(QubesdProcess daemon, IReadOnlyList<string> listed)
    {
        foreach (string name in Uncertain)
        {
            if (listed.Contains(name))
            {
                Qubes.TryAdd(name, [""]);
                await DaemonCrashScenario.RunOnceAsync(daemon, name);
            }
            else
            {
                _ = Qubes.Remove(name);
                Gone.Add(name);
            }
        }

        Uncertain.Clear();
        Assert.Empty(Qubes.Keys.Except(listed));
        Assert.Empty(Gone.Intersect(listed));
        foreach ((string name, HashSet<string> values) in Qubes)
        {
            string value = (await daemon.TryCallAsync("admin.vm.feature.Get", name, "x"))!.IsSuccess
                ? await daemon.CallAsync("admin.vm.feature.Get", name, "x")
                : "";
            Assert.Contains(value, values);
            Qubes[name] = [value];
        }
    }

    private async Task<bool> StepAsync(QubesdProcess daemon)
    {
        string[] names = [.. Qubes.Keys];
        int step = names.Length < 2 ? 0 : _random.Next(12);
        return step switch
        {
            < 3 => await CreateAsync(daemon),
            < 5 => await RemoveAsync(daemon, _random.GetItems(names, 1)[0]),
            < 8 => await SetAsync(daemon, _random.GetItems(names, 1)[0]),
            8 => await AnswersAsync(daemon.TryCallAsync("admin.vm.Start", _random.GetItems(names, 1)[0])),
            9 => await AnswersAsync(daemon.TryCallAsync("admin.vm.Kill", _random.GetItems(names, 1)[0])),
            10 => await AnswersAsync(daemon.TryCallAsync("admin.vm.CreateDisposable", _random.GetItems(names, 1)[0])),
            _ => await CopyAsync(daemon, names[0], names[1]),
        };
    }

    private async Task<bool> CreateAsync(QubesdProcess daemon)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{prefix}{_made++}");
        Uncertain.Add(name);
        AdminAnswer? answer = await daemon.TryCallAsync(
            "admin.vm.Create.AppVM", "dom0", DaemonCrashScenario.Template, $"name={name} label=red");
        if (answer is null)
        {
            return false;
        }

        Assert.True(answer.IsSuccess, answer.ToString());
        Uncertain.Remove(name);
        Qubes.Add(name, [""]);
        return true;
    }

    // A qube that runs is not removed.
    private async Task<bool> RemoveAsync(QubesdProcess daemon, string name)
    {
        Uncertain.Add(name);
        AdminAnswer? answer = await daemon.TryCallAsync("admin.vm.Remove", name);
        if (answer is null)
        {
            return false;
        }

        Uncertain.Remove(name);
        if (answer.IsSuccess)
        {
            Qubes.Remove(name);
            Gone.Add(name);
        }

        return true;
    }

    private async Task<bool> SetAsync(QubesdProcess daemon, string name)
    {
        string value = _random.Next().ToString(CultureInfo.InvariantCulture);
        Qubes[name].Add(value);
        AdminAnswer? answer = await daemon.TryCallAsync("admin.vm.feature.Set", name, "x", value);
        if (answer is { IsSuccess: true })
        {
            Qubes[name] = [value];
        }

        return answer is not null;
    }

    private static async Task<bool> CopyAsync(QubesdProcess daemon, string from, string to) =>
        await daemon.TryCallAsync("admin.vm.volume.CloneFrom", from, "private") is { } token
        && await AnswersAsync(daemon.TryCallAsync("admin.vm.volume.CloneTo", to, "private", token.Content));

    private static async Task<bool> AnswersAsync(Task<AdminAnswer?> call) => await call is not null;
}
