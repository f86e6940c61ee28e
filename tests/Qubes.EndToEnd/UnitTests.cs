using Qubes.EndToEnd.Hosts;
using Qubes.Linux;

namespace Qubes.EndToEnd;

/// <summary>The units of the service manager, as it reads them. What they run is run in the tests of what that does.</summary>
public sealed class UnitTests
{
    private const string Analyzer = "/usr/bin/systemd-analyze";

    [Fact]
    public async Task The_service_manager_understands_every_unit()
    {
        Assert.SkipUnless(File.Exists(Analyzer), "systemd is not installed");
        string root = Directory.CreateTempSubdirectory("qubes-units-").FullName;
        try
        {
            string units = Directory.CreateDirectory(Path.Combine(root, "usr/lib/systemd/system")).FullName;
            string programs = Directory.CreateDirectory(Path.Combine(root, "usr/bin")).FullName;
            foreach (string target in (string[])["sysinit", "basic", "shutdown", "multi-user", "default"])
            {
                await WriteAsync(Path.Combine(units, target + ".target"), "[Unit]\nDefaultDependencies=no\n", isProgram: false);
            }

            List<string> names = [];
            foreach (string path in Directory.GetFiles(UnitFile.Directory))
            {
                string name = Path.GetFileName(path);
                File.Copy(path, Path.Combine(units, name));
                names.Add(name.Replace("@.", "@work-1_a.", StringComparison.Ordinal));
                await WriteAsync(Path.Combine(programs, Path.GetFileName((await UnitFile.CommandAsync(name, "ExecStart"))[0])), "#!/bin/sh\n", isProgram: true);
            }

            await WriteAsync(Path.Combine(programs, Path.GetFileName((await UnitFile.CommandAsync("qubes-core.service", "ExecStop"))[0])), "#!/bin/sh\n", isProgram: true);

            // It warns of words it does not know and goes on: what it says counts, not its status.
            CapturedProcess run = await ProcessCapture.RunAsync(
                new ChildProcessOptions { FileName = Analyzer, Arguments = ["verify", "--man=no", "--root=" + root, .. names] }, timeout: ScratchHost.Patience);
            Assert.Equal("", run.OutputText + run.ErrorText);
            Assert.True(run.Exit.IsSuccess);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task WriteAsync(string path, string text, bool isProgram)
    {
        await File.WriteAllTextAsync(path, text);
        if (isProgram)
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
