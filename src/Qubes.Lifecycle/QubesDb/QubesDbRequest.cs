using Qubes.Protocol.Errors;
using Qubes.Protocol.QubesDb;

namespace Qubes.Lifecycle.QubesDb;

/// <summary>A request under way. Its answer may come in several messages, which one thread takes.</summary>
internal sealed class QubesDbRequest(QubesDbMessageType type, string path)
{
    private readonly TaskCompletionSource<IReadOnlyList<QubesDbEntry>> _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<QubesDbEntry> _entries = [];

    public string Path => path;

    /// <summary>It asks for no entries.</summary>
    public bool IsChange => type is not (QubesDbMessageType.Read or QubesDbMessageType.MultiRead or QubesDbMessageType.List);

    /// <summary>Why it was not done.</summary>
    public QubesException? Failure { get; set; }

    /// <summary>The entries that were found; fails with a <see cref="QubesException"/> if the request was refused or lost.</summary>
    public Task<IReadOnlyList<QubesDbEntry>> Answered => _answered.Task;

    /// <summary>True: the answer is whole now.</summary>
    public bool Take(QubesDbHeader header, byte[] value)
    {
        switch (header.Type)
        {
            case QubesDbMessageType.ReadAnswer when type == QubesDbMessageType.Read:
                _entries.Add(new(path, value));
                return true;
            case QubesDbMessageType.MultiReadAnswer when type == QubesDbMessageType.MultiRead:
            case QubesDbMessageType.ListAnswer when type == QubesDbMessageType.List:
                if (header.Path!.Length == 0)
                {
                    return true;
                }

                _entries.Add(new(header.Path, value));
                return false;
            case QubesDbMessageType.Ok when IsChange:
            case QubesDbMessageType.NotFound when type is QubesDbMessageType.Read or QubesDbMessageType.Remove or QubesDbMessageType.Unwatch:
                return true;
            case QubesDbMessageType.Error:
                Failure = QubesErrors.General($"QubesDB refuses {path}");
                return true;
            default:
                throw new InvalidDataException("it sent an answer of another kind than was asked for");
        }
    }

    /// <summary>Whoever waits goes on.</summary>
    public void Complete()
    {
        if (Failure is null)
        {
            _answered.TrySetResult(_entries);
            return;
        }

        _answered.TrySetException(Failure);

        // Nobody may be waiting: then the failure is no surprise to the runtime.
        _ = _answered.Task.Exception;
    }
}
