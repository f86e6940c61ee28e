using System.Runtime.CompilerServices;
using Qubes.Linux;

namespace Qubes.Storage.Tests;

/// <summary>
/// Runs one operation in a process of its own that a fault point kills. The process is this program again, with the operation in its
/// environment; it ends before the test runner begins.
/// </summary>
internal static class Worker
{
    private const string OperationVariable = "QUBES_STORAGE_TEST_OPERATION";
    private const string DriverVariable = "QUBES_STORAGE_TEST_DRIVER";
    private const string DirectoryVariable = "QUBES_STORAGE_TEST_DIRECTORY";

    /// <summary>Runs until the <paramref name="hit"/>-th fault point. False when the operation ended before it.</summary>
    public static async Task<bool> IsKilledAsync(string operation, string driver, string directory, int hit)
    {
        CapturedProcess result = await ProcessCapture.RunAsync(
            new ChildProcessOptions
            {
                FileName = Environment.ProcessPath!,
                EnvironmentChanges = new Dictionary<string, string?>
                {
                    [OperationVariable] = operation,
                    [DriverVariable] = driver,
                    [DirectoryVariable] = directory,
                    [FaultPoint.Variable] = $"*:{hit}",
                },
            },
            timeout: TimeSpan.FromMinutes(1));
        if (result.Exit is { IsSignal: true, Code: ChildProcess.SIGKILL })
        {
            return true;
        }

        Assert.True(result.Exit.IsSuccess, $"{operation}: {result.Exit} {result.ErrorText}");
        return false;
    }

    [ModuleInitializer]
    internal static void RunIfAsked()
    {
        if (Environment.GetEnvironmentVariable(OperationVariable) is not { } operation)
        {
            return;
        }

        PoolBench bench = PoolBench.Reopen(
            Environment.GetEnvironmentVariable(DriverVariable)!, Environment.GetEnvironmentVariable(DirectoryVariable)!);
        try
        {
#pragma warning disable VSTHRD002 // Nothing else runs yet in this process, and an initializer cannot be asynchronous.
            CrashScenario.Find(operation).Run(bench).GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
            Environment.Exit(0);
        }
        catch (Exception e)
        {
            Console.Error.WriteLine(e);
            Environment.Exit(1);
        }
    }
}
