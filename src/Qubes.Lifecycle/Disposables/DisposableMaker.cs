using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Protocol.Names;

namespace Qubes.Lifecycle.Disposables;

/// <summary>Makes new disposables that nobody names.</summary>
internal sealed class DisposableMaker(DisposableContext context)
{
    private static readonly IReadOnlyDictionary<string, string> NoPools = new Dictionary<string, string>();

    /// <summary>Makes one that is halted. Nobody sees it before it is whole; after a failure nothing is left of it.</summary>
    /// <param name="authorise">Judges and marks the new qube within the change that makes it; an exception ends it.</param>
    internal async Task<DispVM> MakeAsync(QubesVM template, ChangeOrigin origin, Action<DispVM> authorise)
    {
        using ModelChange change = context.App.Changes.Begin(origin);
        DispVM disposable = Add(template);
        authorise(disposable);
        await MakeDataAsync(disposable, change);
        return disposable;
    }

    /// <summary>
    /// Enters one into model, store and its template's list before anything else is waited for, so that all see how many there are;
    /// then makes its data. It cleans itself up: whatever happens now, the next start of the daemon would remove it.
    /// </summary>
    internal async Task<DispVM> MakePreloadAsync(QubesVM template)
    {
        DispVM disposable;
        using (ModelChange change = context.App.Changes.Begin(context.Own("preload disposable")))
        {
            disposable = Add(template);
            disposable.Features.Set(PreloadFeatures.InProgress, value: true);
            PreloadList.Add(template, disposable);
            disposable.Features.Set(PreloadFeatures.Internal, value: true);
            await context.CommitAsync(change);
        }

        FaultPoint.Hit("preload-entered");
        using (ModelChange change = context.App.Changes.Begin(context.Own("preload disposable")))
        {
            await MakeDataAsync(disposable, change);
        }

        return disposable;
    }

    private DispVM Add(QubesVM template)
    {
        QubesApp app = context.App;
        int number = app.DispIds.Next();
        return (DispVM)app.Domains.Create(new NewQube
        {
            Class = QubeClasses.DispVM,
            Name = QubeName.Parse(DispIdAllocator.NameOf(number)),
            Label = template.Label ?? app.Labels.Find("red"),
            Template = template,
            Properties = [(DispVMProperties.DispId, number), (DispVMProperties.AutoCleanup, true)],
        });
    }

    private async Task MakeDataAsync(DispVM disposable, ModelChange change)
    {
        await context.Lifecycle.CreateOnDiskAsync(disposable, pool: null, NoPools);
        await using Rollback rollback = new(context.Log);
        rollback.Push("data on disk", async () => await context.Lifecycle.DiscardAsync(disposable));
        await context.CommitAsync(change);
        rollback.Commit();
        FaultPoint.Hit("disposable-committed");
        await context.Lifecycle.ConfirmAsync(disposable);
    }
}
