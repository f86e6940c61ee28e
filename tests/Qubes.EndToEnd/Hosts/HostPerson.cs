using Qubes.Linux;

namespace Qubes.EndToEnd.Hosts;

/// <summary>The person who uses the host of the tests: the first member of its group <c>qubes</c>, and known to its daemon only.</summary>
internal static class HostPerson
{
    public const string Name = "tester";
    public const uint UserId = 64_137;
    public const uint OwnGroup = 64_137;
    public const uint QubesGroup = 64_138;

    /// <summary>A group of theirs that has nothing to do with qubes.</summary>
    public const uint OtherGroup = 64_139;

    /// <summary>Writes <c>passwd</c> and <c>group</c>: this machine's accounts, but for those of the person and the group <c>qubes</c>.</summary>
    public static async Task InstallAsync(string directory)
    {
        Directory.CreateDirectory(directory);
        await WriteAsync("passwd", $"{Name}:x:{UserId}:{OwnGroup}::/nonexistent/{Name}:/bin/sh");
        await WriteAsync("group", $"{Name}:x:{OwnGroup}:", $"qubes:x:{QubesGroup}:{Name},root", $"others:x:{OtherGroup}:{Name}");

        async Task WriteAsync(string name, params string[] lines)
        {
            IEnumerable<string> others = (await File.ReadAllLinesAsync("/etc/" + name)).Where(line => line.Split(':')[0] is not ("qubes" or Name or "others"));
            string path = Path.Combine(directory, name);
            await File.WriteAllLinesAsync(path, [.. others, .. lines]);
            File.SetUnixFileMode(path, (UnixFileMode)0x1A4 /* 0644 */);
        }
    }

    /// <summary>Runs a program of this machine as the person, as a guest would that has taken over one of the daemons.</summary>
    public static async Task<CapturedProcess> RunAsync(string command, params string[] arguments)
    {
        UserAccount person = new(Name, UserId, OwnGroup, "/", "/bin/sh", [QubesGroup, OtherGroup]);
        return await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = "/bin/sh", Arguments = ["-c", command, "sh", .. arguments], Account = person }, timeout: ScratchHost.Patience);
    }
}
