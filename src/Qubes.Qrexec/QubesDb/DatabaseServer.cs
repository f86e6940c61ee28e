using System.Collections.Concurrent;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.QubesDb;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.QubesDb;

/// <summary>
/// One database with its local clients, on a socket for reading and writing and one for reading, and the link to the peer that has
/// the other copy. Every request is carried out under one gate, which is never held across an await.
/// </summary>
internal sealed class DatabaseServer(Database database, ILogger log) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<(string Path, DatabaseClient Client)> _watches = [];
    private readonly ConcurrentDictionary<DatabaseClient, Task> _clients = [];
    private readonly List<UnixListener> _listeners = [];
    private readonly List<Task> _accepting = [];
    private readonly CancellationTokenSource _stop = new();

    // Where changes made here go; null while the other side has no copy that is up to date.
    private SendQueue? _link;

    /// <summary>Begins to serve local clients at a path.</summary>
    /// <exception cref="IOException">Another process serves this database.</exception>
    public void Listen(string path, UnixFileMode mode, uint? groupId, bool mayWrite)
    {
        UnixListener listener = UnixListener.Bind(path, mode, groupId);
        _listeners.Add(listener);
        _accepting.Add(AcceptAsync(listener, mayWrite));
    }

    public async ValueTask DisposeAsync()
    {
        _listeners.ForEach(listener => listener.Dispose());
        await _stop.CancelAsync();
        await Task.WhenAll([.. _accepting, .. _clients.Values]);
        _stop.Dispose();
    }

    public byte[]? Read(string path)
    {
        lock (_gate)
        {
            return database.Find(path);
        }
    }

    /// <summary>The answers to a request for all entries that start so, whose last has an empty path.</summary>
    /// <param name="withValues">Else their paths only.</param>
    public List<byte[]> ReadAll(string prefix, bool withValues)
    {
        lock (_gate)
        {
            return Answers(prefix, withValues);
        }
    }

    /// <summary>A local client's write; the answer precedes what watchers are told. False: refused.</summary>
    public bool Write(string path, byte[] value, Action answer)
    {
        lock (_gate)
        {
            if (!database.TryWrite(path, value, isPeers: false))
            {
                return false;
            }

            Replicate(QubesDbMessageType.Write, path, value);
            answer();
            FireWatches(path);
            return true;
        }
    }

    /// <summary>A local client's removal. False: nothing was there.</summary>
    public bool Remove(string path, Action answer)
    {
        lock (_gate)
        {
            if (!QubesDbPath.IsValid(path) || !database.Remove(path))
            {
                return false;
            }

            Replicate(QubesDbMessageType.Remove, path, []);
            answer();
            FireWatches(path);
            return true;
        }
    }

    /// <summary>False: it has too many.</summary>
    public bool Watch(string path, DatabaseClient client)
    {
        lock (_gate)
        {
            if (client.WatchCount >= QubesDbLimits.Watches)
            {
                return false;
            }

            client.WatchCount++;
            _watches.Add((path, client));
            return true;
        }
    }

    /// <summary>Takes one watch back. False: there was none.</summary>
    public bool Unwatch(string path, DatabaseClient client)
    {
        lock (_gate)
        {
            bool wasThere = _watches.Remove((path, client));
            client.WatchCount -= wasThere ? 1 : 0;
            return wasThere;
        }
    }

    /// <summary>A change the peer tells. False: refused for want of room.</summary>
    public bool ApplyWrite(string path, byte[] value)
    {
        lock (_gate)
        {
            if (!database.TryWrite(path, value, isPeers: true))
            {
                return false;
            }

            FireWatches(path);
            return true;
        }
    }

    /// <summary>
    /// An entry of the peer's copy, sent at the start of a link. What was written on this side stays: it is sent to the peer afterwards.
    /// </summary>
    public bool ApplyEntry(string path, byte[] value)
    {
        lock (_gate)
        {
            return database.IsLocal(path) || ApplyWrite(path, value);
        }
    }

    /// <summary>A removal the peer tells. Both sides may remove an entry at the same time, so one that is not there is none to complain of.</summary>
    public void ApplyRemove(string path)
    {
        lock (_gate)
        {
            if (database.Remove(path))
            {
                FireWatches(path);
            }
        }
    }

    /// <summary>The peer wants the whole database: it gets that, last entry first as upstream's peers expect, and then every change.</summary>
    public void StartLink(SendQueue link)
    {
        lock (_gate)
        {
            List<byte[]> answers = Answers("", withValues: true);
            for (int i = answers.Count - 2; i >= 0; i--)
            {
                link.Add(answers[i]);
            }

            link.Add(answers[^1]);
            _link = link;
        }
    }

    /// <summary>The peer has sent its whole database: it gets what was written on this side, and then every change.</summary>
    public void StartReplica(SendQueue link)
    {
        lock (_gate)
        {
            foreach (string path in database.PathsUnder("").Where(database.IsLocal))
            {
                link.Add(QubesDbHeader.Message(QubesDbMessageType.Write, path, database.Find(path)));
            }

            _link = link;
        }
    }

    public void EndLink(SendQueue link)
    {
        lock (_gate)
        {
            if (_link == link)
            {
                _link = null;
            }
        }
    }

    /// <summary>
    /// Waits until no local client is far behind: a peer that writes without end is slowed down to the pace of those who watch.
    /// </summary>
    public async Task WatchersReadyAsync(CancellationToken cancellationToken)
    {
        foreach (DatabaseClient client in _clients.Keys)
        {
            try
            {
                await client.Outgoing.BelowAsync(QubesDbLimits.Backlog).WaitAsync(QubesDbLimits.WatcherPatience, cancellationToken);
            }
            catch (TimeoutException)
            {
                log.LogWarning("A client that does not receive what it watches is disconnected");
                client.Abort();
            }
        }
    }

    /// <summary>The client is gone.</summary>
    public void Forget(DatabaseClient client)
    {
        lock (_gate)
        {
            _watches.RemoveAll(watch => watch.Client == client);
        }

        _clients.TryRemove(client, out _);
    }

    private async Task AcceptAsync(UnixListener listener, bool mayWrite)
    {
        while (true)
        {
            try
            {
                Socket socket = await listener.AcceptAsync(_stop.Token);
                if (_clients.Count >= QubesDbLimits.Clients)
                {
                    log.LogWarning("A local client is turned away: there are {Count} already", QubesDbLimits.Clients);
                    socket.Dispose();
                    continue;
                }

                DatabaseClient client = new(this, new SocketVchan(socket), mayWrite);
                TaskCompletionSource served = new();
                _clients.TryAdd(client, served.Task);
                _ = ServeAsync(client, served);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException || _stop.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                log.LogWarning("A local client could not be accepted: {Reason}", e.Message);
            }
        }
    }

    private async Task ServeAsync(DatabaseClient client, TaskCompletionSource served)
    {
        try
        {
            await client.RunAsync(_stop.Token);
        }
        catch (Exception e)
        {
            log.LogError(e, "Serving a local client failed");
        }
        finally
        {
            Forget(client);
            served.SetResult();
        }
    }

    private List<byte[]> Answers(string prefix, bool withValues)
    {
        QubesDbMessageType type = withValues ? QubesDbMessageType.MultiReadAnswer : QubesDbMessageType.ListAnswer;
        List<byte[]> answers = [];
        foreach (string path in database.PathsUnder(prefix))
        {
            answers.Add(QubesDbHeader.Message(type, path, withValues ? database.Find(path) : []));
        }

        answers.Add(QubesDbHeader.Message(type));
        return answers;
    }

    private void Replicate(QubesDbMessageType type, string path, byte[] value)
    {
        // A peer so far behind is given up by its link, and begins anew with a whole copy.
        if (_link is { Bytes: < QubesDbLimits.LongestLinkBacklog } link)
        {
            link.Add(QubesDbHeader.Message(type, path, value));
        }
        else if (_link is not null)
        {
            _link.Overrun();
            _link = null;
        }
    }

    private void FireWatches(string path)
    {
        byte[]? message = null;
        foreach ((string watched, DatabaseClient client) in _watches)
        {
            if (!QubesDbPath.Covers(watched, path))
            {
                continue;
            }

            if (client.Outgoing.Bytes > QubesDbLimits.LongestBacklog)
            {
                client.Abort();
                continue;
            }

            client.Outgoing.Add(message ??= QubesDbHeader.Message(QubesDbMessageType.Changed, path));
        }
    }
}
