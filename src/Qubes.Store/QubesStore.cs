using Microsoft.Extensions.Logging;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Labels;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Store.Format;
using Qubes.Store.History;
using Qubes.Store.Loading;
using Qubes.Store.Saving;

namespace Qubes.Store;

/// <summary>
/// The durable form of the model: loads <c>qubes.xml</c> with the journal beside it, saves groups of changes, keeps earlier generations and
/// the history. All members are called on the model loop; disk work runs on the thread pool.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "CloseAsync is the end of it, and has to wait for the disk.")]
public sealed class QubesStore
{
    private readonly QubesApp _app;
    private readonly ILogger _logger;
    private readonly StoreOptions _options;
    private readonly StoreFile _file;
    private readonly StoreDisk _disk;
    private readonly ChangeHistory _history;
    private readonly PreservedEntries _preserved = new();
    private readonly StoreSerializer _serializer;
    private readonly StoreWriter _writer;

    public QubesStore(QubesApp app, StoreOptions options, ILogger logger, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _app = app;
        _logger = logger;
        _options = options;
        time ??= TimeProvider.System;
        _file = new StoreFile(options, time, logger);
        _history = new ChangeHistory(options);
        _disk = new StoreDisk(options, _file, _history, time, logger);
        _serializer = new StoreSerializer(app, _preserved);
        _writer = new StoreWriter(app, options, _file, _disk, _serializer, time, logger);
    }

    /// <summary>Where the change history lies.</summary>
    public string HistoryDirectory => _options.HistoryDirectory;

    /// <summary>A store exists.</summary>
    public bool Exists => _file.Exists;

    /// <summary>
    /// Creates the store of a new system: built-in labels, the given pools, <c>default_pool_kernel</c> where there is a pool
    /// <c>linux-kernel</c>, and dom0. The application is empty before and complete afterwards, short of
    /// <see cref="QubesApp.FinishLoading"/>. Blocks on the disk: for start-up.
    /// </summary>
    /// <exception cref="QubesException">A store exists.</exception>
    public void Create(IReadOnlyList<PoolConfig> pools)
    {
        if (_file.Exists)
        {
            throw QubesErrors.General($"{_file.Path} already exists, aborting");
        }

        foreach (Label label in LabelSet.BuiltIn)
        {
            _app.Labels.Load(label);
        }

        _app.Pools.Load(pools);
        Qube dom0 = _app.Domains.Load(QubeClasses.AdminVM, default);
        QubeProperties.Label.LoadText(dom0, "black");
        if (_app.Pools.TryGet("linux-kernel", out _))
        {
            QubesAppProperties.DefaultPoolKernel.LoadText(_app, "linux-kernel");
        }

        byte[] content = _serializer.Build(_app.Changes.Revision);
        _file.Create(content);
        _writer.Created(content);
    }

    /// <summary>
    /// Fills the empty application from the store. A damaged store is put aside and the newest good generation taken; bad entries are
    /// set aside and kept; changes the journal has beyond the file are applied. Blocks on the disk: for start-up.
    /// <see cref="QubesApp.FinishLoading"/> comes afterwards, when handlers are in place, and then <see cref="PrepareAsync"/>.
    /// </summary>
    /// <exception cref="QubesException">There is no store, it is in use, or neither it nor any generation can be read.</exception>
    public void Load()
    {
        if (!_file.Exists)
        {
            throw QubesErrors.General($"Qubes XML store '{_file.Path}' is missing; use qubes-create tool");
        }

        try
        {
            RecoveredStore recovered = new StoreRecovery(_options, _file, _disk, _history, _logger).Run();
            StoreLoader.Load(_app, recovered.Document, recovered.Content, _preserved);
            _app.Changes.RestoreRevision(recovered.Revision);
            _writer.Loaded(recovered);
        }
        catch
        {
            _disk.Dispose();
            throw;
        }

        foreach (string problem in _app.Problems)
        {
            _logger.Problem(problem);
        }

        _logger.Loaded(_app.Domains.Count, _file.Path, _app.Changes.Revision);
    }

    /// <summary>Gets ready for the first change, in the background of the loop. Optional: without it that change takes longer.</summary>
    public Task PrepareAsync() => _writer.PrepareAsync();

    /// <summary>
    /// Loads a store's text into the empty application and writes it anew: what a save right after loading would give. No file is touched.
    /// </summary>
    /// <exception cref="QubesException">The text is no store.</exception>
    public static byte[] Rewrite(QubesApp app, ReadOnlyMemory<byte> content, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (!StoreRecovery.TryParse(content, out StoreDocument? document, out string damage))
        {
            throw QubesErrors.General($"not a store of qubes: {damage}");
        }

        PreservedEntries preserved = new();
        StoreLoader.Load(app, document, content, preserved);
        foreach (string problem in app.Problems)
        {
            logger.Problem(problem);
        }

        return new StoreSerializer(app, preserved).Build(document.Revision);
    }

    /// <summary>
    /// Makes a change durable, together with whatever else waits: the task ends when it is on disk, in the journal or in the file itself, and then
    /// observers have learnt of it. If it cannot be saved, it and all changes made after it are taken back, and the task fails.
    /// </summary>
    public Task CommitAsync(ModelChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        return _writer.CommitAsync(change);
    }

    /// <summary>Brings <c>qubes.xml</c> up to what has been acknowledged; it follows by itself within a second or so.</summary>
    public Task WriteFileAsync() => _writer.WriteFileAsync();

    /// <summary>Saves what was changed outside of any commit, and ends. For the end of the daemon.</summary>
    public async Task FlushAsync(ChangeOrigin origin)
    {
        using ModelChange change = _app.Changes.Begin(origin);
        await CommitAsync(change);
        await CloseAsync();
    }

    /// <summary>Waits until nothing of the store is being written any more, brings the file up to date and lets go of it.</summary>
    public Task CloseAsync() => _writer.CloseAsync();
}
