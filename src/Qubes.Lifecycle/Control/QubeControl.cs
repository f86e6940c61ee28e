using Qubes.Linux;
using Qubes.Storage;

namespace Qubes.Lifecycle.Control;

/// <summary>What the lifecycle keeps of a qube beside the model. Belongs to the model loop.</summary>
internal sealed class QubeControl
{
    /// <summary>Held over the whole of a start, of a removal, and of the clean-up of its storage.</summary>
    public AsyncLock StartLock { get; } = new();

    /// <summary>Announces the data of a qube that the store does not have yet; null for any other.</summary>
    public QubeDataIntent? Creation { get; set; }

    /// <summary>The current run; null when there is no domain and the last stop is handled.</summary>
    public QubeRun? Run { get; set; }
}
