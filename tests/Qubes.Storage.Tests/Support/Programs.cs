using Qubes.Linux;

namespace Qubes.Storage.Tests;

/// <summary>Programs of the system the tests use.</summary>
internal static class Programs
{
    private static readonly string[] Directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    public static async Task<string> RunAsync(string name, params IReadOnlyList<string> arguments)
    {
        string program = Directories.Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"{name} is not installed");
        CapturedProcess result = await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = program, Arguments = arguments }, timeout: TimeSpan.FromMinutes(1));
        return result.Exit.IsSuccess ? result.OutputText : throw new IOException($"{name}: {result.Exit}: {result.ErrorText}");
    }
}
