using Qubes.Linux;

namespace Qubes.Storage;

/// <summary>Does the steps of decided changes.</summary>
internal sealed class IntentSteps(RootedDirectory root)
{
    public void Apply(IReadOnlyList<IntentStep> steps)
    {
        HashSet<string> toSync = new(StringComparer.Ordinal);
        foreach (IntentStep step in steps)
        {
            Apply(step, toSync);
            FaultPoint.Hit("storage-step");
        }

        foreach (string path in toSync)
        {
            root.SyncDirectoryOf(path);
        }
    }

    private void Apply(IntentStep step, HashSet<string> toSync)
    {
        switch (step.Action)
        {
            case IntentAction.Link:
                if (root.Exists(step.Path) && !root.Exists(step.Target))
                {
                    root.Link(step.Path, step.Target);
                    // A rename over the first name may follow: the second one must be there before.
                    root.SyncDirectoryOf(step.Target);
                }

                break;
            case IntentAction.Rename:
                if (root.Exists(step.Path))
                {
                    root.Rename(step.Path, step.Target);
                }

                break;
            case IntentAction.Remove:
                if (root.Remove(step.Path))
                {
                    toSync.Add(step.Path);
                }

                break;
            case IntentAction.RemoveDirectory:
                root.RemoveEmptyDirectory(step.Path);
                break;
            default:
                if (root.Exists(step.Path))
                {
                    int colon = step.Target.IndexOf(':', StringComparison.Ordinal);
                    Qcow2File.Rebase(root, step.Path, step.Target[..colon] == "raw" ? DiskFormat.Raw : DiskFormat.Qcow2, step.Target[(colon + 1)..]);
                }

                break;
        }
    }
}
