namespace Qubes.Qrexec.Tests.Agent;

/// <summary>Finds the multi-call program under test.</summary>
internal static class QrexecProgramFile
{
    /// <summary>Names another binary, such as the natively compiled one.</summary>
    private const string Variable = "QUBES_TEST_QREXEC";

    public static string Path { get; } = Find();

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } chosen)
        {
            return chosen;
        }

        // …/tests/Qubes.Qrexec.Tests/bin/CONFIGURATION/net10.0/
        DirectoryInfo output = new(AppContext.BaseDirectory.TrimEnd('/'));
        string configuration = output.Parent!.Name;
        string root = output.Parent.Parent!.Parent!.Parent!.Parent!.FullName;
        string program = System.IO.Path.Combine(root, "apps/qrexec/bin", configuration, output.Name, "linux-x64/qrexec");
        return File.Exists(program) ? program : throw new FileNotFoundException("The program is not built: " + program);
    }
}
