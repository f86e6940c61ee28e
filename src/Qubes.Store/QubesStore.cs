using System.Buffers;
using System.Xml;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
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
/// The durable form of the model: loads <c>qubes.xml</c>, saves it in groups of changes, keeps earlier generations and the history.
/// All members are called on the model loop; disk work runs on the thread pool.
/// </summary>
public sealed class QubesStore
{
    private readonly QubesApp _app;
    private readonly ILogger _logger;
    private readonly StoreFile _file;
    private readonly ChangeHistory _history;
    private readonly PreservedEntries _preserved = new();
    private readonly StoreSerializer _serializer;
    private List<PendingCommit> _pending = [];
    private List<PendingCommit> _saving = [];
    private Task _saveLoop = Task.CompletedTask;
    private Task _keeping = Task.CompletedTask;
    private long _savedVersion = -1;

    public QubesStore(QubesApp app, StoreOptions options, ILogger logger, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _app = app;
        _logger = logger;
        _file = new StoreFile(options, time ?? TimeProvider.System, logger);
        _history = new ChangeHistory(options, time ?? TimeProvider.System);
        HistoryDirectory = options.HistoryDirectory;
        _serializer = new StoreSerializer(app, _preserved);
    }

    /// <summary>Where the change history lies.</summary>
    public string HistoryDirectory { get; }

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

        _file.Create(_serializer.Build(_app.Changes.Revision).Span);
        _savedVersion = _app.Changes.Version;
    }

    /// <summary>
    /// Fills the empty application from the store. A damaged store is put aside and the newest good generation taken; bad entries are
    /// set aside and kept. Blocks on the disk: for start-up. <see cref="QubesApp.FinishLoading"/> comes afterwards, when handlers are in place.
    /// </summary>
    /// <exception cref="QubesException">There is no store, or neither it nor any generation can be read.</exception>
    public void Load()
    {
        if (!_file.Exists)
        {
            throw QubesErrors.General($"Qubes XML store '{_file.Path}' is missing; use qubes-create tool");
        }

        _file.RemoveLeftovers();
        byte[] content = _file.Read();
        if (TryParse(content, out StoreDocument? document, out string damage))
        {
            // Start-up does not wait for the copy; the first save does.
            _keeping = Task.Run(() => _file.KeepGeneration(content));
        }
        else
        {
            (content, document) = FallBack(damage);
        }

        StoreLoader.Load(_app, document!, content, _preserved);
        _app.Changes.RestoreRevision(Math.Max(document!.Revision, _history.Recover()));
        _savedVersion = _app.Changes.Version;
        foreach (string problem in _app.Problems)
        {
            _logger.Problem(problem);
        }

        _logger.Loaded(_app.Domains.Count, _file.Path, _app.Changes.Revision);
    }

    /// <summary>
    /// Loads a store's text into the empty application and writes it anew: what a save right after loading would give. No file is touched.
    /// </summary>
    /// <exception cref="QubesException">The text is no store.</exception>
    public static byte[] Rewrite(QubesApp app, ReadOnlyMemory<byte> content, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (!TryParse(content, out StoreDocument? document, out string damage))
        {
            throw QubesErrors.General($"not a store of qubes: {damage}");
        }

        PreservedEntries preserved = new();
        StoreLoader.Load(app, document!, content, preserved);
        foreach (string problem in app.Problems)
        {
            logger.Problem(problem);
        }

        return new StoreSerializer(app, preserved).Build(document!.Revision).ToArray();
    }

    /// <summary>
    /// Makes a change durable, together with whatever else waits: the task ends when the file that contains it is on disk, and then
    /// observers have learnt of it. If it cannot be saved, it and all changes made after it are taken back, and the task fails.
    /// </summary>
    public Task CommitAsync(ModelChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (_app.Changes.Version == _savedVersion && _saving.Count == 0 && _pending.Count == 0)
        {
            change.Complete();
            return Task.CompletedTask;
        }

        _app.Changes.AssignRevision(change);
        PendingCommit pending = new(change);
        _pending.Add(pending);
        if (_saveLoop.IsCompleted)
        {
            _saveLoop = SaveAsync();
        }

        return pending.Done.Task;
    }

    /// <summary>Saves what was changed outside of any commit, and waits for saves under way. For the end of the daemon.</summary>
    public async Task FlushAsync(ChangeOrigin origin)
    {
        using ModelChange change = _app.Changes.Begin(origin);
        await CommitAsync(change);
        await CloseAsync();
    }

    /// <summary>Waits until nothing of the store is being written any more.</summary>
    public async Task CloseAsync()
    {
        await _keeping;
        await _saveLoop;
        await Task.Run(_history.Flush);
    }

    private async Task SaveAsync()
    {
        // Let the requests that are ready to run on the loop join the first save.
        await Task.Yield();
        await _keeping;
        while (_pending.Count > 0)
        {
            (_saving, _pending) = (_pending, _saving);
            try
            {
                long version = _app.Changes.Version;
                long revision = _saving[^1].Change.Revision;
                ReadOnlyMemory<byte> content = _serializer.Build(revision);
                ArrayBufferWriter<byte> history = new();
                foreach (PendingCommit commit in _saving)
                {
                    ChangeHistory.Encode(commit.Change, history);
                }

                FaultPoint.Hit("store-save:serialized");
                await Task.Run(() =>
                {
                    // The history follows the store, so that it never tells of what did not come to be.
                    _file.Replace(content.Span);
                    AppendHistory(history.WrittenMemory);
                });
                FaultPoint.Hit("store-save:acknowledge");
                _savedVersion = version;
            }
            catch (Exception e)
            {
                TakeBack(e);
                continue;
            }

            List<PendingCommit> saved = _saving;
            _saving = [];
            foreach (PendingCommit commit in saved)
            {
                commit.Change.Complete();
                commit.Done.SetResult();
            }
        }
    }

    // What was changed later was built on what now goes: newest first, all of it.
    private void TakeBack(Exception failure)
    {
        List<PendingCommit> failed = [.. _saving, .. _pending];
        _saving = [];
        _pending = [];
        _logger.SaveFailed(failure, _file.Path, failed.Count);
        for (int i = failed.Count - 1; i >= 0; i--)
        {
            failed[i].Change.Rollback();
        }

        string text = failure is QubesException known ? known.Message : $"Cannot save qubes.xml, nothing was changed: {failure.Message}";
        foreach (PendingCommit commit in failed)
        {
            commit.Done.SetException(new QubesException(QubesErrorNames.QubesException, text, failure));
        }
    }

    private void AppendHistory(ReadOnlyMemory<byte> lines)
    {
        try
        {
            _history.Append(lines.Span);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _logger.HistoryFailed(e, HistoryDirectory);
        }
    }

    private (byte[] Content, StoreDocument Document) FallBack(string damage)
    {
        foreach (string generation in _file.Generations())
        {
            byte[] content = File.ReadAllBytes(generation);
            if (TryParse(content, out StoreDocument? document, out _))
            {
                _logger.Damaged(_file.Path, damage, _file.ReplaceDamaged(content), generation);
                return (content, document!);
            }
        }

        throw QubesErrors.General($"Qubes XML store '{_file.Path}' is damaged ({damage}) and no good copy exists");
    }

    private static bool TryParse(ReadOnlyMemory<byte> content, out StoreDocument? document, out string damage)
    {
        try
        {
            document = StoreReader.Read(content);
            damage = "it has no section of qubes";
            return document.HasQubes;
        }
        catch (XmlException e)
        {
            document = null;
            damage = e.Message;
            return false;
        }
    }
}
