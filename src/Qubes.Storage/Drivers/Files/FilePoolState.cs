using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>The open directory of a file pool and its intents. Opened at first use: a pool may be configured before it is made.</summary>
internal sealed class FilePoolState(string path, ILogger log) : PoolState
{
    private readonly Lock _gate = new();
    private RootedDirectory? _root;
    private IntentLog? _intents;

    public ConcurrentDictionary<string, bool> Exports { get; } = new(StringComparer.Ordinal);

    /// <exception cref="QubesException">The directory is missing.</exception>
    public RootedDirectory Root
    {
        get
        {
            lock (_gate)
            {
                Open();
                return _root!;
            }
        }
    }

    public IntentLog Intents
    {
        get
        {
            lock (_gate)
            {
                Open();
                return _intents!;
            }
        }
    }

    private void Open()
    {
        if (_root is not null)
        {
            return;
        }

        try
        {
            _root = RootedDirectory.Open(path);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            throw new QubesException(QubesErrorNames.StoragePool, "The pool's directory is missing", e);
        }

        _intents = new IntentLog(_root, log);
    }
}
