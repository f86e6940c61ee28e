using System.Reflection;
using Microsoft.Extensions.Logging;
using Qubes.Admin.Documents;
using Qubes.Admin.Methods;
using Qubes.Linux;
using Qubes.Policy.Administration;
using Qubesd.PolicyTools;
using Qubesd.StoreTools;

namespace Qubesd;

/// <summary>From the command line to an exit status.</summary>
internal static class QubesdProgram
{
    private const int Failed = 1;
    private const int Misused = 2;

    /// <summary>The other programs in this file, which need no daemon: by the name it is called under, or by the first argument.</summary>
    public static IReadOnlyDictionary<string, Func<string[], Task<int>>> Programs { get; } = new Dictionary<string, Func<string[], Task<int>>>(
        PolicyAdministrator.Services.Append(PolicyAdminProgram.Name).Select(name => KeyValuePair.Create(name, RunPolicyAdmin)), StringComparer.Ordinal)
    {
        [PolicyRegisterProgram.Name] = static _ => PolicyRegisterProgram.RunAsync(Console.OpenStandardInput()),
        [StoreProgram.Name] = StoreProgram.RunAsync,
        [CreateProgram.Name] = CreateProgram.RunAsync,
    };

    private static Func<string[], Task<int>> RunPolicyAdmin =>
        static _ => PolicyAdminProgram.RunAsync(Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error);

    public static Task<int> RunAsync(string[] args)
    {
        // The kernel's record of how we were started: the runtime's is the path of the program's file in builds that are not native.
        string calledAs = Path.GetFileName(File.ReadAllText("/proc/self/cmdline").Split('\0')[0]);
        if (Programs.TryGetValue(calledAs, out Func<string[], Task<int>>? program))
        {
            return program(args);
        }

        return args.Length > 0 && Programs.TryGetValue(args[0], out program) ? program(args[1..]) : RunDaemonAsync(args);
    }

    private static async Task<int> RunDaemonAsync(string[] args)
    {
        DaemonOptions options;
        try
        {
            options = DaemonOptions.Parse(args);
        }
        catch (UsageException e)
        {
            await Console.Error.WriteAsync($"{DaemonOptions.Usage}qubesd: error: {e.Message}\n");
            return Misused;
        }

        QubesPaths paths = new(options.Root);
        switch (options.Action)
        {
            case DaemonAction.Help:
                await Console.Out.WriteAsync(DaemonOptions.Usage);
                return 0;
            case DaemonAction.Version:
                await Console.Out.WriteLineAsync($"qubesd {Assembly.GetExecutingAssembly().GetName().Version?.ToString(3)}");
                return 0;
            case DaemonAction.PrintDocs:
                await Console.Out.WriteAsync(ApiDocument.Write(AdminMethods.Table));
                return 0;
            case DaemonAction.PrintPolicy:
                await Console.Out.WriteAsync(PolicyDocuments.WriteDefault(AdminMethods.Table));
                return 0;
            case DaemonAction.PrintManual:
                return await PrintManualAsync(options.Manual!);
            case DaemonAction.InitialiseRoot:
                RootSetup.Run(paths);
                return 0;
            default:
                return await ServeAsync(options, paths);
        }
    }

    private static async Task<int> PrintManualAsync(string program)
    {
        if (((ToolHelp[])[StoreProgram.Help, CreateProgram.Help]).FirstOrDefault(h => h.Name == program) is not { } help)
        {
            await Console.Error.WriteAsync($"{DaemonOptions.Usage}qubesd: error: there is no manual page of '{LogText.Escape(program)}'\n");
            return Misused;
        }

        await Console.Out.WriteAsync(help.ManualPage);
        return 0;
    }

    private static async Task<int> ServeAsync(DaemonOptions options, QubesPaths paths)
    {
        // Taken before anything else, so that no child process inherits the way to systemd.
        SystemdNotify notify = SystemdNotify.FromEnvironment();
        using StandardErrorLoggerFactory loggers = new(options.Debug ? LogLevel.Debug : LogLevel.Information);
        ILogger logger = loggers.CreateLogger("qubesd");
        try
        {
            await using Daemon daemon = new(options, paths, loggers);
            using StopSignals signals = new();
            await daemon.StartAsync(signals.Token);
            notify.Ready();
            notify.Status("qubesd online and operational");
            logger.LogInformation("Ready");

            // Loading leaves several times the model's size behind, and an idle daemon would keep it until much later.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            await signals.WaitAsync();
            notify.Stopping();
            logger.LogInformation("Stopping");
            await daemon.StopAsync();
            return 0;
        }
        catch (UsageException e)
        {
            logger.LogCritical("{Reason}", LogText.Escape(e.Message));
            return Misused;
        }
        catch (Exception e)
        {
            logger.LogCritical(e, "qubesd cannot go on");
            return Failed;
        }
    }
}
