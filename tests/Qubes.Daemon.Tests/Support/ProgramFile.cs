namespace Qubes.Testing;

/// <summary>Finds a program under test as the solution has built it, in the configuration of the tests.</summary>
internal static class ProgramFile
{
    public static string RepositoryRoot => Output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;

    // …/tests/PROJECT/bin/CONFIGURATION/net10.0/
    private static DirectoryInfo Output => new(AppContext.BaseDirectory.TrimEnd('/'));

    /// <param name="name">A folder of <c>apps/</c>. The environment's <c>QUBES_TEST_NAME</c> names another binary, such as the natively compiled one.</param>
    public static string Find(string name)
    {
        if (Environment.GetEnvironmentVariable("QUBES_TEST_" + name.ToUpperInvariant()) is { Length: > 0 } chosen)
        {
            return chosen;
        }

        DirectoryInfo output = Output;
        string configuration = output.Parent!.Name;
        string program = Path.Combine(RepositoryRoot, "apps", name, "bin", configuration, output.Name, "linux-x64", name);
        return File.Exists(program) ? program : throw new FileNotFoundException("The program is not built: " + program);
    }
}
