using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Volumes;
using Qubes.Storage;
using Qubes.Store;

namespace Qubesd.StoreTools;

/// <summary><c>qubes-create</c>: makes the store of a new system and its pools.</summary>
internal static class CreateProgram
{
    public const string Name = "qubes-create";

    private const int Failed = 1;

    public static ToolHelp Help { get; } = new()
    {
        Name = Name,
        Summary = "make the store of a new system",
        Forms = ["[--root DIR] [--qubesxml FILE] [--offline-mode]"],
        Description = "Makes an empty store of qubes: the labels, the default pools with their directories, and dom0. A store that exists is never touched.",
        Options =
        [
            new("--qubesxml FILE", "the store, instead of var/lib/qubes/qubes.xml below the root"),
            new("--offline-mode", "accepted, and makes no difference: no hypervisor is asked"),
            .. StoreTool.CommonOptions,
        ],
        ExitStatus =
        [
            new("0", "The store was made."),
            new("1", "It exists already, or cannot be made."),
            new("2", "The command line is wrong."),
        ],
    };

    public static Task<int> RunAsync(string[] args) =>
        StoreTool.RunAsync(Help, args, ["--offline-mode"], ["--qubesxml"], Failed, async (arguments, paths) =>
        {
            arguments.RequireAtMost(0);
            StoreOptions options = StoreOptions.For(paths);
            if (arguments.Value("--qubesxml") is { } file)
            {
                options = options with { StoreFile = Path.GetFullPath(file) };
            }

            using StandardErrorLoggerFactory loggers = new(LogLevel.Warning);
            await CreateAsync(paths, options, loggers);
            return 0;
        });

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
