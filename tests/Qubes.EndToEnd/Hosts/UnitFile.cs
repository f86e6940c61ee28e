namespace Qubes.EndToEnd.Hosts;

/// <summary>A unit of the service manager as it is installed, for running what it would run.</summary>
internal static class UnitFile
{
    public static string Directory => Path.Combine(Repository.Root, "packaging/systemd");

    /// <summary>Runs the command that <paramref name="unit"/> has under <paramref name="key"/>, the program being the one that was built.</summary>
    public static async Task<ToolResult> RunAsync(ScratchHost host, string unit, string key, string instance = "")
    {
        string[] words = [.. (await WordsAsync(unit, key)).Select(word => word.Replace("%i", instance, StringComparison.Ordinal))];
        return await host.RunAsync(Path.GetFileName(words[0]), words[1..]);
    }

    /// <summary>The words under a key that is there once. None of ours needs quotes.</summary>
    public static async Task<string[]> WordsAsync(string unit, string key)
    {
        string line = Assert.Single(
            await File.ReadAllLinesAsync(Path.Combine(Directory, unit)), line => line.StartsWith(key + "=", StringComparison.Ordinal));
        return line[(key.Length + 1)..].Split(' ');
    }
}
