using Qubes.Linux;

namespace Qubes.EndToEnd.Hosts;

/// <summary>What the tests take from the source tree: the published programs and the guest. Both are made if they are out of date.</summary>
internal static class Repository
{
    private static readonly TimeSpan LongestBuild = TimeSpan.FromMinutes(15);

    public static string Root { get; } = FindRoot();

    public static string Programs => Path.Combine(Root, "artifacts/bin");

    public static string Template => Path.Combine(Root, "artifacts/templates/minimal");

    /// <summary>Does nothing when <c>./test</c> did it already.</summary>
    public static async Task BuildAsync()
    {
        await RunAsync(Path.Combine(Root, "scripts/publish.sh"));
        await RunAsync(Path.Combine(Root, "templates/minimal/build"),
            "--output", Template, "--cache", Path.Combine(Root, "artifacts/templates/packages"),
            "--qrexec", Path.Combine(Programs, "qrexec"), "--tools", Path.Combine(Programs, "qvm"));
    }

    private static async Task RunAsync(string script, params string[] arguments)
    {
        CapturedProcess run = await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = "/bin/bash", Arguments = [script, .. arguments] }, timeout: LongestBuild);
        Assert.True(run.Exit.IsSuccess, $"{script}: {run.Exit}\n{run.OutputText}\n{run.ErrorText}");
    }

    private static string FindRoot()
    {
        for (string? directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "Qubes.slnx")))
            {
                return directory;
            }
        }

        throw new InvalidOperationException("The tests do not lie in the source tree");
    }
}
