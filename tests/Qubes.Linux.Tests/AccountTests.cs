namespace Qubes.Linux.Tests;

/// <summary>Programs that run as another account, and what such an account can and cannot do to root.</summary>
public sealed class AccountTests : IDisposable
{
    private const uint Stranger = 64_137;
    private const uint Group = 64_138;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly UserAccount Account = new("stranger", Stranger, 64_139, "/nonexistent/home", "/bin/sh", [Group]);
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_program_is_its_account_in_every_respect()
    {
        NeedsRoot();
        var run = await RunAsync("id -u; id -g; id -G; echo $HOME $USER $LOGNAME $SHELL; grep -E '^(CapEff|CapPrm|CapInh|NoNewPrivs)' /proc/$$/status; echo $1", "it's");
        const string NoCapabilities = "0000000000000000";
        Assert.Equal(
            $"64137\n64139\n64139 64138\n/nonexistent/home stranger stranger /bin/sh\nCapInh:\t{NoCapabilities}\nCapPrm:\t{NoCapabilities}\n"
            + $"CapEff:\t{NoCapabilities}\nNoNewPrivs:\t1\nit's\n",
            run.OutputText);
    }

    [Fact]
    public async Task Its_number_is_that_of_the_program()
    {
        NeedsRoot();
        var process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "/bin/sleep", Arguments = ["1000"], Account = Account, NewSession = true, WorkingDirectory = "/",
        });
        try
        {
            using CancellationTokenSource patience = new(Patience);
            while (ProcessOwner.Find(process.Id) != Stranger || !File.ReadAllText($"/proc/{process.Id}/cmdline").StartsWith("/bin/sleep", StringComparison.Ordinal))
                await Task.Delay(10, patience.Token);
        }
        finally
        {
            process.KillGroup();
        }

        Assert.True((await process.Exited.WaitAsync(Patience)).IsSignal);
    }

    [Fact]
    public async Task A_program_that_is_not_there_ends_as_for_a_shell()
    {
        NeedsRoot();
        var run = await ProcessCapture.RunAsync(new ChildProcessOptions { FileName = _directory["none"], Account = Account }, timeout: Patience);
        Assert.Equal(127, run.Exit.ShellStatus);
    }

    [Fact]
    public void The_database_knows_accounts_with_their_groups()
    {
        var root = AccountDatabase.Find("root");
        Assert.Equal((0u, 0u), (root?.UserId, root?.GroupId));
        Assert.Contains(0u, root!.Groups);
        Assert.Null(AccountDatabase.Find("no-such-account"));
    }

    [Fact]
    public async Task What_an_account_has_put_at_a_sockets_name_gives_way_to_root()
    {
        NeedsRoot();
        ShareDirectory();
        await RunAsync("ln -s /etc/passwd \"$1/link\"; echo > \"$1/file\"", _directory.Path);
        foreach (var name in (string[])["link", "file"])
        {
            using var listener = UnixListener.Bind(_directory[name], Private);
            (await UnixAddress.ConnectAsync(_directory[name]).WaitAsync(Patience)).Dispose();
        }

        // What is root's own is not taken away.
        File.CreateSymbolicLink(_directory["own"], "/etc/passwd");
        Assert.Throws<IOException>(() => UnixListener.Bind(_directory["own"], Private));
    }

    [Fact]
    public async Task A_shared_directory_is_not_made_of_what_somebody_else_has_put_there()
    {
        NeedsRoot();
        ShareDirectory();
        Directory.CreateDirectory(_directory["target"]);
        await RunAsync("ln -s target \"$1/link\"; mkdir \"$1/made\"", _directory.Path);
        var account = new DaemonAccount(Account, Group);
        foreach (var name in (string[])["link", "made"])
            Assert.Throws<IOException>(() => account.Share(_directory[name], UnixFileMode.UserRead));
        account.Share(_directory["own"], (UnixFileMode)0x5F8 /* 02770 */);
        var status = FileStatus.Find(_directory["own"])!.Value;
        Assert.Equal((0u, Group, (UnixFileMode)0x5F8), (status.UserId, status.GroupId, status.Permissions));
    }

    private static void NeedsRoot() => Assert.SkipUnless(UserAccount.IsRoot, "Only root becomes somebody else");

    private static Task<CapturedProcess> RunAsync(string script, string argument) => ProcessCapture.RunAsync(
        new ChildProcessOptions { FileName = "/bin/sh", Arguments = ["-c", script, "sh", argument], Account = Account, NoNewPrivileges = true }, timeout: Patience);

    private void ShareDirectory() => new DaemonAccount(Account, Group).Share(_directory.Path, (UnixFileMode)0x7F8 /* 03770 */);
}
