namespace Qubes.Daemon.Tests;

/// <summary>Finds the daemon under test.</summary>
internal static class QubesdProgramFile
{
    /// <summary>Names another binary, such as the natively compiled one.</summary>
    private const string Variable = "QUBES_TEST_QUBESD";

    public static string Path { get; } = Find();

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } chosen)
        {
            return chosen;
        }

        // …/tests/Qubes.Daemon.Tests/bin/CONFIGURATION/net10.0/
        DirectoryInfo output = new(AppContext.BaseDirectory.TrimEnd('/'));
        string configuration = output.Parent!.Name;
        string root = output.Parent.Parent!.Parent!.Parent!.Parent!.FullName;
        string program = System.IO.Path.Combine(root, "apps/qubesd/bin", configuration, output.Name, "linux-x64/qubesd");
        return File.Exists(program) ? program : throw new FileNotFoundException("The daemon is not built: " + program);
    }
}
