using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Store.Saving;

namespace Qubes.Store.Tests;

public sealed class StoreFileTests
{
    [Fact]
    public async Task A_replacement_of_our_own_is_never_taken_for_somebody_elses()
    {
        using TemporaryDirectory directory = new();
        await File.WriteAllTextAsync(directory["qubes.xml"], "first");
        using StoreFile file = new(RunningStore.OptionsIn(directory), TimeProvider.System, NullLogger.Instance);
        file.Read();
        using CancellationTokenSource done = new();

        // Many, so that some look just before it is noted which file is ours, and go on just after.
        Task looking = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                file.VerifyOurs();
            }
        })));
        for (int i = 0; i < 12; i++)
        {
            file.Replace(Encoding.ASCII.GetBytes($"content {i}"));
        }

        await done.CancelAsync();
        await looking;
    }
}
