using System.Text;
using Qubes.EndToEnd.Hosts;
using Qubes.Linux;

namespace Qubes.EndToEnd;

/// <summary>What reads guests' bytes has no more rights than the person who uses the host, keeps them over restarts, and cannot turn root's against it.</summary>
[Collection(HostCollection.Name)]
public sealed class AccountTests(RunningHost running)
{
    private const uint Root = 0;
    private const string WhoService = "#!/bin/sh\nid -un; id -Gn; echo \"$HOME $USER $LOGNAME\"\n";
    private const string Who = "tester\ntester qubes others\n/nonexistent/tester tester tester\n";
    private const string WhoPolicy = "test.Who * @anyvm @adminvm allow\n";

    private ScratchHost Host
    {
        get
        {
            Assert.SkipUnless(running.Host.HasAccounts, "This machine does not let a process have mounts of its own");
            return running.Host;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_daemons_of_a_qube_are_the_first_members_of_the_group(bool qrexec)
    {
        DaemonProcess daemon = await DaemonProcess.AtAsync(qrexec ? Host.Paths.QrexecSocket("work") : Host.Paths.QubesDbSocket("work"));
        AssertIsPersons(daemon);

        // A service may have to be more than the person, as with sudo.
        Assert.Equal(!qrexec, daemon.HasNoNewPrivileges);

        // Nor can one daemon look into another.
        CapturedProcess reading = await HostPerson.RunAsync("cat \"/proc/$1/environ\"", $"{daemon.Id}");
        Assert.False(reading.Exit.IsSuccess);
    }

    [Fact]
    public async Task A_service_of_the_host_runs_as_that_person()
    {
        AddWho();
        Assert.Equal(Who, (await Host.InQubeAsync("work", "qrexec-client-vm dom0 test.Who")).Expect().Output);
    }

    [Fact]
    public async Task The_files_of_daemons_are_the_persons_and_the_rest_is_roots()
    {
        QubesPaths paths = Host.Paths;
        string id = Path.GetFileName(new FileInfo(paths.QrexecSocket("work")).LinkTarget!)["qrexec.".Length..];
        AssertOwner(paths.QubesRunDirectory, Root, "3770");
        AssertOwner(paths.VchanDirectory, Root, "710");
        AssertOwner(paths.QrexecSocket(id), HostPerson.UserId, "777");
        AssertOwner(paths.QrexecSocket("work"), HostPerson.UserId, "777");
        AssertOwner(paths.VchanBrokerSocket("work"), HostPerson.UserId, "660");
        AssertOwner(paths.VchanBrokerSocket(id), HostPerson.UserId, "777");
        AssertOwner(paths.QubesDbSocket("work"), HostPerson.UserId, "660");
        AssertOwner(paths.QubesDbReadOnlySocket("work"), HostPerson.UserId, "660");
        AssertOwner(paths.PolicySocket, Root, "660");
        AssertOwner(paths.AdminSocket, Root, "660");
        Assert.Equal(Root, FileStatus.Find(paths.QrexecLog("work"))!.Value.UserId);
        Assert.Equal(Root, FileStatus.Find(paths.QubesDbLog("work"))!.Value.UserId);

        // The link itself is not followed by a mode; what is a directory's stays.
        Assert.Equal(HostPerson.QubesGroup, FileStatus.Find(paths.VchanPortSocket("work"))!.Value.GroupId);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_restarted_daemon_takes_its_daemons_over_as_they_are(bool crashes)
    {
        AddWho();
        int[] before = await DaemonsOfWorkAsync();
        await (crashes ? Host.KillDaemonAsync() : Host.StopDaemonAsync());
        await Host.StartDaemonAsync();
        Assert.Equal(Who, (await Host.InQubeAsync("work", "qrexec-client-vm dom0 test.Who")).Expect().Output);
        Assert.Equal(before, await DaemonsOfWorkAsync());
    }

    [Fact]
    public async Task Daemons_of_another_account_are_replaced_by_those_of_the_one_that_holds_now()
    {
        AddWho();
        foreach ((string[] arguments, string who) in ((string[], string)[])[(["--daemon-user", "root"], "root\n"), ([], "tester\n")])
        {
            await Host.StopDaemonAsync();
            await Host.StartDaemonAsync(arguments);

            // Between the old daemon and the new one there is none to ask.
            await UntilAsync(async () =>
                (await Host.InQubeAsync("work", "qrexec-client-vm dom0 test.Who")).Output.StartsWith(who, StringComparison.Ordinal));
        }

        AssertIsPersons(await DaemonProcess.AtAsync(Host.Paths.QrexecSocket("work")));
        await UntilAsync(async () => (await Host.RunAsync("qubesdb-read", "-d", "work", "/name")).Output == "work\n");
        AssertIsPersons(await DaemonProcess.AtAsync(Host.Paths.QubesDbSocket("work")));
    }

    [Fact]
    public async Task A_qube_imports_a_volume_through_a_service_that_is_not_root()
    {
        const int Size = 1 << 20;
        Host.AddPolicy("30-import.policy", "admin.vm.volume.ImportWithSize * mgmt imported allow target=@adminvm\n");
        await running.CreateAsync("imported");
        string data = $"(echo {Size}; echo imported content; head -c {Size - 17} /dev/zero)";
        Assert.Equal("0\0", (await Host.InQubeAsync("mgmt", data + " | qrexec-client-vm imported admin.vm.volume.ImportWithSize+private")).Expect().Output);
        string image = Directory.GetFiles(Path.Combine(Host.Paths.AppVmsDirectory, "imported"), "private*").Single(HasContent);
        FileStatus status = FileStatus.Find(image)!.Value;
        Assert.Equal((Root, Root, UnixFileMode.UserRead | UnixFileMode.UserWrite), (status.UserId, status.GroupId, status.Permissions));
        (await Host.RunAsync("qvm-remove", "--force", "imported")).Expect();

        static bool HasContent(string path)
        {
            using FileStream file = File.OpenRead(path);
            byte[] start = new byte[17];
            return file.Read(start) == start.Length && Encoding.ASCII.GetString(start) == "imported content\n";
        }
    }

    [Fact]
    public async Task A_qube_changes_policy_through_a_service_that_is_not_root()
    {
        Host.AddPolicy("30-policy.policy", "policy.Replace * mgmt @adminvm allow\n");
        (await Host.InQubeAsync("mgmt", "printf 'any\\ntest.Made * work @adminvm deny\\n' | qrexec-client-vm dom0 policy.Replace+45-made")).Expect();
        AssertOwner(Path.Combine(Host.Paths.PolicyDirectory, "45-made.policy"), HostPerson.UserId, "664");
        Assert.Contains("policy.Replace+45-made (mgmt)", File.ReadAllText(Path.Combine(Host.Paths.LogDirectory, "policy-admin.log")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_account_puts_where_root_works_leads_root_nowhere()
    {
        string mark = Path.Combine(Host.Root, "roots");
        await File.WriteAllTextAsync(mark, "root's own");
        string roots = Path.Combine(Host.Root, "roots.sock");
        using UnixListener ours = UnixListener.Bind(roots, (UnixFileMode)0x180);
        await running.CreateAsync("lured");
        string pool = (await Host.RunAsync("qvm-volume", "info", "lured:private", "pool")).Expect().Output.Trim();
        string vid = (await Host.RunAsync("qvm-volume", "info", "lured:private", "vid")).Expect().Output.Trim();
        string marker = "volume-running-" + $"{pool}:{vid}".Replace("-", "--", StringComparison.Ordinal).Replace('/', '-');
        await Host.StopDaemonAsync();
        const string Plant = """
            set -e
            cd "$1"
            ln -s "$2" policy.sock
            ln -s "$2" "$4"
            ln -s "$2" previously-paused.list
            ln -s "$3" qrexec.lured
            ln -s "$3" qubesdb.lured.sock
            ln -s "$3" vchan.lured.broker
            [ -e kvm-usable ] || ln -s "$2" kvm-usable
            for taken in "mv vchan other" "mv policy.d other" "touch vchan/lured.sock"; do
                if $taken; then echo "$taken"; exit 1; fi
            done
            """;
        CapturedProcess plant = await HostPerson.RunAsync(Plant, Host.Paths.QubesRunDirectory, mark, roots, marker);
        await Host.StartDaemonAsync();
        Assert.True(plant.Exit.IsSuccess, plant.OutputText + plant.ErrorText);
        (await Host.RunAsync("qvm-start", "lured")).Expect();
        (await Host.InQubeAsync("lured", "true")).Expect();
        AssertIsPersons(await DaemonProcess.AtAsync(Host.Paths.QrexecSocket("lured")));
        Assert.Equal("root's own", await File.ReadAllTextAsync(mark));
        AssertOwner(mark, Root, "644");
        AssertOwner(roots, Root, "600");
        AssertOwner(Host.Paths.PolicySocket, Root, "660");

        // This process listens at what the links led to: it was not taken for a daemon to be ended.
        (await Host.RunAsync("qvm-kill", "lured")).Expect();
        (await Host.RunAsync("qvm-remove", "--force", "lured")).Expect();
    }

    private static void AssertIsPersons(DaemonProcess daemon)
    {
        Assert.Equal([HostPerson.UserId], daemon.Users.Distinct());
        Assert.Equal([HostPerson.OwnGroup], daemon.OwnGroups.Distinct());
        Assert.Equal([HostPerson.OwnGroup, HostPerson.QubesGroup, HostPerson.OtherGroup], daemon.Groups);
        Assert.Equal(["0000000000000000"], daemon.Capabilities.Distinct());
    }

    private static void AssertOwner(string path, uint user, string mode)
    {
        FileStatus status = FileStatus.Find(path) ?? throw new FileNotFoundException(path);
        Assert.Equal((path, user, mode), (path, status.UserId, Convert.ToString((int)status.Permissions, 8)));
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using CancellationTokenSource patience = new(ScratchHost.Patience);
        while (!await condition())
        {
            await Task.Delay(50, patience.Token);
        }
    }

    private void AddWho()
    {
        Host.AddPolicy("30-who.policy", WhoPolicy);
        AtomicFile.Write(Path.Combine(Host.Paths.RpcDirectory, "test.Who"), Encoding.ASCII.GetBytes(WhoService), (UnixFileMode)0x1ED /* 0755 */);
    }

    private async Task<int[]> DaemonsOfWorkAsync() =>
    [
        (await DaemonProcess.AtAsync(Host.Paths.QrexecSocket("work"))).Id, (await DaemonProcess.AtAsync(Host.Paths.QubesDbSocket("work"))).Id,
        (await DaemonProcess.AtAsync(Host.Paths.QubesDbSocket("dom0"))).Id,
    ];
}
