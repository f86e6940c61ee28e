namespace Qubes.Daemon.Tests.Extensions;

/// <summary>A root whose pool "plain" is run by the worked example of a storage driver.</summary>
internal static class PlainPool
{
    public const string Name = "plain";

    public const string Missing = "The driver plain-dir of pool plain is not there";

    public static string DirectoryOf(ScratchRoot root) => Path.Combine(root.Path, "plain");

    /// <summary>The extension's file. Lines are further ones of it.</summary>
    public static void Install(ScratchRoot root, params string[] lines) => root.AddExtension("disks", ExtensionRoot.Copy(root, "plain_dir.py"), lines);

    /// <summary>The same, but once it does not survive a request, see faulty_disks.py.</summary>
    /// <returns>The file that is there when that has happened.</returns>
    public static string InstallFaulty(ScratchRoot root, string method, string when, params string[] lines)
    {
        ExtensionRoot.Copy(root, "plain_dir.py");
        string done = Path.Combine(root.Path, "done");
        root.AddExtension("disks", ExtensionRoot.Copy(root, "faulty_disks.py"), [$"argument = {method}", $"argument = {when}", $"argument = {done}", .. lines]);
        return done;
    }

    public static void Uninstall(ScratchRoot root) => File.Delete(Path.Combine(root.Paths.ExtensionsDirectory, "disks.conf"));

    /// <summary>A daemon has made the pool and its qubes (<see cref="CreateAsync"/>), and has ended.</summary>
    public static async Task LeaveAsync(ScratchRoot root)
    {
        Install(root);
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(root);
        await CreateAsync(daemon);
        Assert.True((await daemon.Process.StopAsync()).IsSuccess);
    }

    /// <summary>Adds the pool, and a template and a qube whose volumes lie in it.</summary>
    public static async Task CreateAsync(RunningDaemon daemon)
    {
        await AddAsync(daemon);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.CreateInPool.TemplateVM", payload: $"name=debian label=black pool={Name}"));
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.CreateInPool.AppVM", "debian", payload: $"name=work label=red pool={Name}"));
    }

    public static async Task AddAsync(RunningDaemon daemon) => Assert.Equal(
        "0\0", await daemon.CallAsync("admin.pool.Add", "plain-dir", payload: $"name={Name}\ndir_path={DirectoryOf(daemon.Process.Root)}\n"));

    /// <summary>What a qube would have written, at the beginning of its disk.</summary>
    public static async Task WriteAsync(string path, string text)
    {
        await using FileStream file = new(path, FileMode.Open, FileAccess.Write);
        await file.WriteAsync(System.Text.Encoding.ASCII.GetBytes(text));
    }

    public static async Task<string> ReadAsync(string path)
    {
        await using FileStream file = File.OpenRead(path);
        byte[] start = new byte[8];
        await file.ReadExactlyAsync(start);
        return System.Text.Encoding.ASCII.GetString(start).TrimEnd('\0');
    }

    /// <summary>The files of a volume, by what follows its name, sorted.</summary>
    public static string FilesOf(ScratchRoot root, string vid)
    {
        string path = Path.Combine(DirectoryOf(root), vid);
        return !Directory.Exists(Path.GetDirectoryName(path)!) ? "" : string.Join(' ', Directory.GetFiles(Path.GetDirectoryName(path)!, Path.GetFileName(path) + ".*")
            .Select(file => file[(path.Length + 1)..]).Order(StringComparer.Ordinal));
    }

    /// <summary>Creations and removals of qubes' data that are not done yet.</summary>
    public static string[] IntentsOf(ScratchRoot root) => Directory.GetFiles(Path.Combine(root.Paths.StateDirectory, ".qube-intents"));

    public static async Task WaitAsync(Func<bool> condition)
    {
        using CancellationTokenSource deadline = new(QubesdProcess.Patience);
        while (!condition())
        {
            await Task.Delay(20, deadline.Token);
        }
    }

    /// <summary>Calls until the answer is this one: a program is being started anew, or follows in the background.</summary>
    public static async Task CallUntilAsync(this RunningDaemon daemon, string answer, string method, string argument = "", string destination = "dom0", string payload = "")
    {
        using CancellationTokenSource deadline = new(QubesdProcess.Patience);
        string last = "";
        while (!deadline.IsCancellationRequested)
        {
            last = await daemon.CallAsync(method, argument, destination, payload);
            if (last == answer)
            {
                return;
            }

            await Task.Delay(50);
        }

        Assert.Equal(answer, last);
    }
}
