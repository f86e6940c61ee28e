using Qubes.EndToEnd.Hosts;
using Qubes.Linux;

namespace Qubes.EndToEnd;

/// <summary>The units of the service manager, as it reads them. What they run is run in the tests of what that does.</summary>
public sealed class UnitTests
{
    private const string Analyzer = "/usr/bin/systemd-analyze";
    private const string Accounts = "/usr/bin/systemd-sysusers";
    private const string Directories = "/usr/bin/systemd-tmpfiles";

    private static string Packaging => Path.Combine(Repository.Root, "packaging");

    [Fact]
    public async Task The_service_manager_understands_every_unit()
    {
        Assert.SkipUnless(File.Exists(Analyzer), "systemd is not installed");
        string root = Directory.CreateTempSubdirectory("qubes-units-").FullName;
        try
        {
            string units = Directory.CreateDirectory(Path.Combine(root, "usr/lib/systemd/system")).FullName;
            string programs = Directory.CreateDirectory(Path.Combine(root, "usr/bin")).FullName;
            foreach (string target in (string[])["sysinit", "basic", "shutdown"])
            {
                await WriteAsync(Path.Combine(units, target + ".target"), "[Unit]\nDefaultDependencies=no\n", isProgram: false);
            }

            // As on a host without a desktop, where one target is both that units are wanted by.
            await WriteAsync(Path.Combine(units, "multi-user.target"), "[Unit]\nRequires=basic.target\nAfter=basic.target\n", isProgram: false);
            File.CreateSymbolicLink(Path.Combine(units, "default.target"), "multi-user.target");
            List<string> names = ["default.target"];
            foreach (string path in Directory.GetFiles(UnitFile.Directory))
            {
                string name = Path.GetFileName(path);
                File.Copy(path, Path.Combine(units, name));
                string instance = name.Replace("@.", "@work-1_a.", StringComparison.Ordinal);
                names.Add(instance);
                string wants = Path.Combine(units, (await UnitFile.WordsAsync(name, "WantedBy"))[0] + ".wants");
                Directory.CreateDirectory(wants);
                File.CreateSymbolicLink(Path.Combine(wants, instance), "../" + name);
                await WriteAsync(Path.Combine(programs, Path.GetFileName((await UnitFile.WordsAsync(name, "ExecStart"))[0])), "#!/bin/sh\n", isProgram: true);
            }

            await WriteAsync(Path.Combine(programs, Path.GetFileName((await UnitFile.WordsAsync("qubes-core.service", "ExecStop"))[0])), "#!/bin/sh\n", isProgram: true);

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

    [Fact]
    public async Task The_account_and_the_directories_of_an_installed_host_are_made_as_daemons_need_them()
    {
        Assert.SkipUnless(File.Exists(Accounts) && File.Exists(Directories), "systemd is not installed");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Accounts are root's to make");
        string root = Directory.CreateTempSubdirectory("qubes-host-").FullName;
        try
        {
            string configuration = Directory.CreateDirectory(Path.Combine(root, "etc")).FullName;
            foreach ((string program, string[] arguments) in ((string, string[])[])[
                (Accounts, [Path.Combine(Packaging, "sysusers.d/qubes.conf")]), (Directories, ["--create", Path.Combine(Packaging, "tmpfiles.d/qubes.conf")])])
            {
                CapturedProcess run = await ProcessCapture.RunAsync(
                    new ChildProcessOptions { FileName = program, Arguments = ["--root=" + root, .. arguments] }, timeout: ScratchHost.Patience);
                Assert.True(run.Exit.IsSuccess, run.ErrorText);
            }

            // The group is the account's own and has no members: the first to be added is a person.
            string[] group = File.ReadLines(Path.Combine(configuration, "group")).Select(line => line.Split(':')).Single(fields => fields[0] == "qubes");
            string[] account = File.ReadLines(Path.Combine(configuration, "passwd")).Select(line => line.Split(':')).Single(fields => fields[0] == "qubes-daemon");
            Assert.Equal("", group[3]);
            Assert.Equal(group[2], account[3]);

            QubesPaths paths = new(root);
            foreach ((string path, string mode) in ((string, string)[])[
                (paths.QubesRunDirectory, "3770"), (paths.VchanDirectory, "710"), (paths.RuntimePolicyDirectory, "2775"), (paths.PolicyDirectory, "2775")])
            {
                Assert.Equal((path, mode), (path, Convert.ToString((int)FileStatus.Find(path)!.Value.Permissions, 8)));
            }
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
