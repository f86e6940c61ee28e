using Qubes.Client.Tests;
using Qubes.Linux;
using Qvm;

namespace Qubes.Tools.Tests;

/// <summary>Runs a tool against a scripted daemon and keeps what it wrote.</summary>
public abstract class ToolHarness : IDisposable
{
    internal FakeDaemon Daemon { get; } = new();

    protected string Output { get; private set; } = "";

    protected string Error { get; private set; } = "";

    protected const string ThreeQubes =
        "dom0 class=AdminVM state=Running\ntmpl class=TemplateVM state=Halted\nwork class=AppVM state=Halted\n";

    public virtual void Dispose()
    {
        Daemon.Dispose();
        GC.SuppressFinalize(this);
    }

    protected async Task<int> RunAsync(string tool, params string[] words)
    {
        using StringWriter output = new();
        using StringWriter error = new();
        int status = await ToolRunner.RunAsync(ToolRunner.Find(tool)!, words, new QubesPaths(Daemon.Root), output, error);
        Output = output.ToString();
        Error = error.ToString();
        return status;
    }

    internal IEnumerable<string> Calls(string method) => Daemon.Requests.Where(r => r.StartsWith(method, StringComparison.Ordinal));
}
