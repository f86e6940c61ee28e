using Qubes.Linux;

namespace Qubes.Daemon.Tests.Crash;

/// <summary>
/// A root with a template and a qube, made once by the daemon itself and put back for every run: making it anew each time would cost
/// most of the time of the tests.
/// </summary>
public sealed class PreparedState : IAsyncLifetime
{
    private readonly string _saved = Directory.CreateTempSubdirectory("qd-saved-").FullName;

    internal ScratchRoot Root { get; } = new();

    /// <summary>How many fault points a start passes before the daemon serves; the same at every start from this state.</summary>
    internal int StartUpPoints { get; private set; }

    private string Copy => Path.Combine(_saved, "root");

    public async ValueTask InitializeAsync()
    {
        await using (QubesdProcess daemon = await QubesdProcess.StartAsync(Root))
        {
            await daemon.CallAsync("admin.vm.Create.TemplateVM", payload: $"name={DaemonCrashScenario.Template} label=black");
            await daemon.CallAsync("admin.vm.Create.AppVM", argument: DaemonCrashScenario.Template, payload: $"name={DaemonCrashScenario.Qube} label=red");
            // No kernel of the host: the hypervisor of the tests boots nothing.
            await daemon.CallAsync("admin.vm.property.Set", DaemonCrashScenario.Template, "kernel");
            await daemon.CallAsync("admin.vm.property.Set", DaemonCrashScenario.Qube, "kernel");
            Assert.True((await daemon.StopAsync()).IsSuccess);
        }

        await CopyAsync(Root.Path, Copy);
        StartUpPoints = await CountStartUpPointsAsync();
    }

    /// <summary>The root as it was, at the same path: the store names its pools by absolute paths.</summary>
    public async Task RestoreAsync()
    {
        Directory.Delete(Root.Path, recursive: true);
        await CopyAsync(Copy, Root.Path);
    }

    public ValueTask DisposeAsync()
    {
        Root.Dispose();
        Directory.Delete(_saved, recursive: true);
        return ValueTask.CompletedTask;
    }

    // A daemon armed with a later point comes up, one armed with an earlier point does not.
    private async Task<int> CountStartUpPointsAsync()
    {
        int passed = 0;
        int notPassed = 128;
        while (notPassed - passed > 1)
        {
            int middle = (passed + notPassed) / 2;
            await RestoreAsync();
            QubesdProcess? daemon = await QubesdProcess.TryStartAsync(Root, $"*:{middle}", out _);
            if (daemon is null)
            {
                passed = middle;
                continue;
            }

            await daemon.KillAsync();
            notPassed = middle;
        }

        return passed;
    }

    private static async Task CopyAsync(string from, string to)
    {
        CapturedProcess copy = await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = "/bin/cp", Arguments = ["-a", "--sparse=always", from, to] }, timeout: QubesdProcess.Patience);
        Assert.True(copy.Exit.IsSuccess, copy.ErrorText);
    }
}
