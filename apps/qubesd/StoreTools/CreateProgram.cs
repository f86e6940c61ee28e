using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Storage;
using Qubes.Store;

namespace Qubesd.StoreTools;

/// <summary><c>qubes-create</c>: makes the store of a new system and its pools.</summary>
internal static class CreateProgram
{
    public const string Name = "qubes-create";
    public const string Usage = """
        usage: qubes-create [--qubesxml FILE] [--offline-mode]

        Makes an empty store of qubes with the default pools, below $QUBES_ROOT.

          --qubesxml FILE   the store, instead of var/lib/qubes/qubes.xml
          --offline-mode    accepted, and makes no difference: no hypervisor is asked

        """;

    private const int Failed = 1;
    private const int Misused = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        QubesPaths paths = new();
        StoreOptions options = StoreOptions.For(paths);
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--help" or "-h":
                    await Console.Out.WriteAsync(Usage);
                    return 0;
                case "--offline-mode":
                    break;
                case "--qubesxml" when i + 1 < args.Length:
                    options = options with { StoreFile = Path.GetFullPath(args[++i]) };
                    break;
                default:
                    await Console.Error.WriteAsync($"{Usage}{Name}: error: unrecognized arguments: {args[i]}\n");
                    return Misused;
            }
        }

        using StandardErrorLoggerFactory loggers = new(LogLevel.Warning);
        try
        {
            await CreateAsync(paths, options, loggers);
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or QubesException)
        {
            await Console.Error.WriteLineAsync($"{Name}: {LogText.Escape(e.Message)}");
            return Failed;
        }
    }

    private static async Task CreateAsync(QubesPaths paths, StoreOptions options, StandardErrorLoggerFactory loggers)
    {
        StorageService storage = new(new StorageEnvironment { Paths = paths, Log = loggers.CreateLogger("storage") });
        QubesApp app = new(new HostFacts(paths));
        QubesStore store = new(app, options, loggers.CreateLogger("store"));
        Directory.CreateDirectory(paths.StateDirectory);
        store.Create(store.Exists ? [] : await storage.InitialPoolsAsync());
        await store.CloseAsync();
        foreach (PoolConfig pool in app.Pools.All)
        {
            await storage.Add(pool).SetupAsync();
        }
    }
}
