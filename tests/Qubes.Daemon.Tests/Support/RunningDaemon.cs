using Qubes.Linux;
using Qubes.Testing;

namespace Qubes.Daemon.Tests;

/// <summary>A daemon that serves, spoken to in raw bytes.</summary>
internal sealed class RunningDaemon : IAsyncDisposable
{
    private readonly ScratchRoot? _ownRoot;

    private RunningDaemon(QubesdProcess process, ScratchRoot? ownRoot)
    {
        Process = process;
        _ownRoot = ownRoot;
    }

    public QubesdProcess Process { get; }

    public QubesPaths Paths => Process.Root.Paths;

    /// <summary>Starts on a root an earlier process left, or on a new one that is removed at the end.</summary>
    public static async Task<RunningDaemon> StartAsync(ScratchRoot? root = null, string libvirt = QubesdProcess.TestDriver)
    {
        ScratchRoot? own = root is null ? new ScratchRoot() : null;
        return new RunningDaemon(await QubesdProcess.StartAsync(root ?? own!, libvirt: libvirt), own);
    }

    /// <summary>A call on the main socket; the whole reply.</summary>
    public Task<string> CallAsync(string method, string argument = "", string destination = "dom0", string payload = "", string source = "dom0") =>
        RawClient.CallAsync(Paths.AdminSocket, $"{method}+{argument} {source} name {destination}\0{payload}");

    /// <summary>Makes a template and a qube based on it.</summary>
    public async Task CreateQubesAsync(string template = "debian", string qube = "work")
    {
        Assert.Equal("0\0", await CallAsync("admin.vm.Create.TemplateVM", payload: $"name={template} label=black"));
        Assert.Equal("0\0", await CallAsync("admin.vm.Create.AppVM", template, payload: $"name={qube} label=red"));
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        _ownRoot?.Dispose();
    }
}
