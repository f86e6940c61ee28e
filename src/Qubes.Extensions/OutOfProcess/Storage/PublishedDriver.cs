using System.Text.Json;
using Microsoft.Extensions.Logging;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Linux;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Extensions.OutOfProcess.Storage;

/// <summary>
/// A storage driver that an extension runs. It outlives the extension's runs: between them nothing can be asked, and each run opens every pool
/// before it is asked anything else about it. Its state belongs to the model loop; it may be asked from anywhere.
/// </summary>
internal sealed class PublishedDriver(StorageDriverDefinition definition, string extension, ExtensionEnvironment environment) : IExternalDriver
{
    private readonly Dictionary<string, Task> _opened = new(StringComparer.Ordinal);
    private ExtensionSession? _session;

    public StorageDriverDefinition Definition { get; } = definition;

    /// <summary>The run that answers now.</summary>
    public ExtensionSession? Session
    {
        get => _session;
        set
        {
            _session = value;
            _opened.Clear();
        }
    }

    /// <exception cref="ArgumentException">There is a driver of that name.</exception>
    public void Begin() => environment.Storage.AddDriver(
        Definition.Name, Definition.Description, Definition.Parameters,
        PoolCapabilities.Writable | PoolCapabilities.Snapshots | PoolCapabilities.Revisions | PoolCapabilities.Resize | PoolCapabilities.Import
            | PoolCapabilities.Export | (Definition.CanEncrypt ? PoolCapabilities.Ephemeral : PoolCapabilities.None),
        this);

    /// <summary>The driver is no longer known.</summary>
    public void End() => environment.Storage.RemoveDriver(Definition.Name);

    /// <summary>A run is ready: what its pools wait for is done now, not when somebody happens to need it.</summary>
    public async Task OpenAllAsync()
    {
        foreach (Pool pool in environment.Storage.Pools.Where(pool => pool.Driver.Name == Definition.Name).ToArray())
        {
            try
            {
                await OpenAsync(pool);
            }
            catch (QubesException e)
            {
                environment.Loggers.CreateLogger("extension " + extension)
                    .LogError("Pool {Pool} could not be opened: {Reason}", pool.Name, LogText.Escape(e.Message));
            }
        }
    }

    public async Task SetupAsync(Pool pool)
    {
        await AskAsync("pool.setup", pool, opensFirst: false);
        await environment.Loop.InvokeAsync(() => _opened.Remove(pool.Name));
    }

    public Task OpenAsync(Pool pool) => environment.Loop.InvokeAsync(() => EnsureOpenAsync(ReadySession(), pool));

    public async Task CloseAsync(Pool pool)
    {
        if (await environment.Loop.InvokeAsync(() => _opened.Remove(pool.Name)))
        {
            await AskAsync("pool.close", pool, opensFirst: false);
        }
    }

    public async Task<PoolUsage?> GetUsageAsync(Pool pool) => Read("pool.usage", await AskAsync("pool.usage", pool), StorageJson.Usage);

    public async Task<IReadOnlyList<string>> ListVidsAsync(Pool pool) =>
        Read("pool.list", await AskAsync("pool.list", pool), answer => StorageJson.Vids(answer, "volumes"));

    public Task CreateAsync(Volume volume) => AskAsync("volume.create", volume);

    public Task RemoveAsync(Volume volume) => AskAsync("volume.remove", volume);

    public Task<string> StartAsync(Volume volume) => AskForPathAsync("volume.start", volume);

    public Task StopAsync(Volume volume) => AskAsync("volume.stop", volume);

    public Task VerifyAsync(Volume volume) => AskAsync("volume.verify", volume);

    public async Task<ResizeOutcome> ResizeAsync(Volume volume, long size) =>
        Read("volume.resize", await AskAsync("volume.resize", volume, writer => writer.WriteNumber("size", size)), StorageJson.Resize);

    public Task<string> ExportAsync(Volume volume) => AskForPathAsync("volume.export", volume);

    public Task EndExportAsync(Volume volume, string path) => AskAsync("volume.export_end", volume, writer => writer.WriteString("path", path));

    public Task<string> BeginImportAsync(Volume volume, long size) =>
        AskForPathAsync("volume.import_begin", volume, writer => writer.WriteNumber("size", size));

    public Task EndImportAsync(Volume volume, bool success) =>
        AskAsync("volume.import_end", volume, writer => writer.WriteBoolean("success", success));

    public Task ImportAsync(Volume volume, string path, Volume? source) => AskAsync("volume.import", volume, writer =>
    {
        writer.WriteString("path", path);
        if (source is not null)
        {
            writer.WriteStartObject("from");
            StorageJson.WritePool(writer, source.Pool);
            StorageJson.WriteVolume(writer, "volume", source);
            writer.WriteEndObject();
        }
    });

    public async Task<IReadOnlyList<VolumeRevision>> ListRevisionsAsync(Volume volume) =>
        Read("volume.revisions", await AskAsync("volume.revisions", volume), StorageJson.Revisions);

    public Task RevertAsync(Volume volume, string? revision) =>
        AskAsync("volume.revert", volume, writer => writer.WriteString("revision", revision));

    public async Task<VolumeStatus> GetStatusAsync(Volume volume) =>
        Read("volume.status", await AskAsync("volume.status", volume), answer => StorageJson.Status(answer, volume));

    private async Task<string> AskForPathAsync(string method, Volume volume, Action<Utf8JsonWriter>? members = null) =>
        Read(method, await AskAsync(method, volume, members), StorageJson.Path);

    private Task<JsonElement> AskAsync(string method, Volume volume, Action<Utf8JsonWriter>? members = null) => AskAsync(method, volume.Pool, writer =>
    {
        StorageJson.WriteVolume(writer, "volume", volume);
        members?.Invoke(writer);
    });

    private Task<JsonElement> AskAsync(string method, Pool pool, Action<Utf8JsonWriter>? members = null, bool opensFirst = true) =>
        environment.Loop.InvokeAsync(async () =>
        {
            ExtensionSession session = ReadySession();
            if (opensFirst)
            {
                await EnsureOpenAsync(session, pool);
            }

            return await AskAsync(session, method, pool, members);
        });

    private ExtensionSession ReadySession() => Session is { IsReady: true } session ? session : throw Gone("does not run", wasAsked: false);

    /// <summary>Once in each run; what was refused is asked again.</summary>
    private Task EnsureOpenAsync(ExtensionSession session, Pool pool)
    {
        if (!_opened.TryGetValue(pool.Name, out Task? opened) || opened.IsFaulted)
        {
            _opened[pool.Name] = opened = OpenAsync(session, pool);
        }

        return opened;
    }

    private async Task OpenAsync(ExtensionSession session, Pool pool)
    {
        JsonElement answer = await AskAsync(session, "pool.open", pool, members: null);
        IReadOnlyList<string> started = Read("pool.open", answer, untrusted => StorageJson.Vids(untrusted, "started"));
        environment.Storage.ExternalPoolOpened?.Invoke(pool.Name, started);
    }

    private async Task<JsonElement> AskAsync(ExtensionSession session, string method, Pool pool, Action<Utf8JsonWriter>? members)
    {
        RpcMessage answer;
        try
        {
            answer = await session.LongRequests.AskAsync(method, writer =>
            {
                writer.WriteStartObject();
                StorageJson.WritePool(writer, pool);
                members?.Invoke(writer);
                writer.WriteEndObject();
            });
        }
        catch (ExtensionGoneException e)
        {
            throw Gone(Refusal.Text(e.Message), wasAsked: true);
        }

        if (answer.Kind == RpcKind.Result)
        {
            return answer.Content;
        }

        string text = Refusal.Text(answer.ErrorText);
        if (answer.ErrorCode == RpcErrorCode.MethodNotFound)
        {
            throw QubesErrors.StoragePool($"The storage driver {Definition.Name} cannot do {method}");
        }

        if (answer.ErrorCode != RpcErrorCode.Refused)
        {
            session.Log.LogError("Failed at {Method} in pool {Pool}: {Error}", method, pool.Name, LogText.Escape(answer.ErrorText));
            throw QubesErrors.StoragePool($"The storage driver {Definition.Name} failed: {text}");
        }

        throw Read(method, answer.Content, data => Refusal.Of(Refusal.TypeOr(data.OptionalText("type"), QubesErrorNames.StoragePool), text));
    }

    private T Read<T>(string method, JsonElement untrusted, Func<RpcParams, T> read)
    {
        try
        {
            return read(new RpcParams(untrusted));
        }
        catch (RpcException e)
        {
            throw new QubesException(
                QubesErrorNames.StoragePool, $"The storage driver {Definition.Name} gave an unusable answer to {method}: {e.Message}",
                new FormatException(e.Message));
        }
    }

    private QubesException Gone(string what, bool wasAsked) =>
        DriverGoneException.For($"The extension {extension}, which runs the storage driver {Definition.Name}, {what}", wasAsked);
}
