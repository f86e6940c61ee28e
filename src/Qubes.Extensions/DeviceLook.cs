namespace Qubes.Extensions;

/// <summary>
/// Looks at what a backend tells, one look at a time: who asks meanwhile waits for one that begins afterwards, and many who ask share it. Belongs to
/// the model loop.
/// </summary>
internal sealed class DeviceLook
{
    private Task? _underWay;
    private bool _again;

    /// <summary>Completes after a look that began after this call.</summary>
    /// <param name="look">Must not throw.</param>
    public async Task RunAsync(Func<Task> look)
    {
        if (_underWay is { } underWay)
        {
            _again = true;
            await underWay;
            return;
        }

        Task looking = LookAsync(look);
        _underWay = looking.IsCompleted ? null : looking;
        await looking;
    }

    private async Task LookAsync(Func<Task> look)
    {
        do
        {
            _again = false;
            await look();
        }
        while (_again);
        _underWay = null;
    }
}
