using System.IO.Enumeration;
using Qubes.Admin.Calls;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Storage;
using Qubes.Store.Firewall;
using Qubes.Store.Notes;

namespace Qubes.Admin.Backups;

/// <summary>The qubes a profile selects, and what of each goes into the backup.</summary>
internal sealed class BackupContents
{
    private const string OwnersGroup = "qubes";

    private readonly AdminServices _services;
    private readonly IReadOnlyList<Qube> _selected;
    private readonly string? _home;

    private BackupContents(AdminServices services, IReadOnlyList<Qube> selected, IReadOnlyList<string> notSelected, string? home)
    {
        _services = services;
        _selected = selected;
        NotSelected = notSelected;
        _home = home;
    }

    /// <summary>The names of the qubes that are not in it.</summary>
    public IReadOnlyList<string> NotSelected { get; }

    /// <summary>Chooses the qubes as they are now; of dom0 only the home of the person who uses the host can be in a backup.</summary>
    /// <exception cref="QubesException">The profile cannot be carried out.</exception>
    public static BackupContents Select(AdminServices services, BackupProfile profile)
    {
        QubesApp app = services.App;
        Qube destination = app.Domains.FirstOrDefault(qube => qube.Name.Value == profile.DestinationVm)
            ?? throw QubesErrors.General("Invalid destination_vm specified in backup profile");
        ILookup<bool, Qube> bySelection = app.Domains.OrderBy(qube => qube.Name.Value, StringComparer.Ordinal).ToLookup(qube =>
            (profile.Include is { } include ? include.Any(word => BackupProfile.Matches(qube, word)) : IsIncludedByDefault(qube))
            && !profile.Exclude.Any(word => BackupProfile.Matches(qube, word)));

        // dom0 last, as it is in the archive.
        Qube[] selected = [.. bySelection[true].OrderBy(qube => qube is AdminVM)];
        string? home = null;
        if (selected.Any(qube => qube is AdminVM))
        {
            home = FindHome() ?? throw QubesErrors.General(
                $"dom0 is selected, but there is no home to back up: the group {OwnersGroup} has no member");
            if (destination is AdminVM && IsWithin(profile.DestinationPath, home))
            {
                throw QubesErrors.General("Can not backup dom0 home directory to itself!");
            }
        }

        return new BackupContents(services, selected, [.. bySelection[false].Select(qube => qube.Name.Value)], home);
    }

    /// <summary>What stands in the summary. Looks at the disk, off the loop.</summary>
    public async Task<IReadOnlyList<BackupRow>> MeasureAsync()
    {
        // Everything about the qubes first: they may change while the disk is looked at.
        List<(BackupRow Row, IReadOnlyList<Volume> Volumes, string? Directory)> parts = [.. _selected.Select(Describe)];
        List<BackupRow> rows = [];
        foreach ((BackupRow row, IReadOnlyList<Volume> volumes, string? directory) in parts)
        {
            long size = 0;
            foreach (Volume volume in volumes)
            {
                size += (await volume.GetStatusAsync()).Usage;
            }

            rows.Add(row with { Size = size + (directory is null ? await Task.Run(() => SizeOfTree(_home!)) : await Task.Run(() => SizeOfFiles(directory))) });
        }

        return rows;
    }

    private (BackupRow Row, IReadOnlyList<Volume> Volumes, string? Directory) Describe(Qube qube)
    {
        if (qube is not QubesVM vm)
        {
            return qube is AdminVM
                ? (new BackupRow(qube.Name.Value, "User home", 0, ""), [], null)
                : (new BackupRow(qube.Name.Value, "VM", 0, ""), [], "");
        }

        QubeStorage storage = _services.Lifecycle.StorageOf(vm);
        string kind = vm is TemplateVM ? "Template VM" : vm.IsUpdateable ? "VM + Sys" : "VM";
        string remark = vm.IsHalted ? ""
            : storage.Volumes.Any(volume => volume.SnapshotsDisabled)
                ? " <-- The VM is running and private volume snapshots are disabled. Backup will fail!"
                : " <-- The VM is running, backup will contain its state from before its start!";
        return (
            new BackupRow(vm.Name.Value, kind, 0, remark),
            [.. storage.Volumes.Where(volume => volume.Config.SaveOnStop)],
            Path.Combine(_services.Storage.Environment.Paths.StateDirectory, vm.DirectoryName));
    }

    private static bool IsIncludedByDefault(Qube qube) => qube switch
    {
        LocalQube local => LocalQubeProperties.IncludeInBackups.Get(local),
        RemoteVM remote => RemoteVMProperties.IncludeInBackups.Get(remote),
        _ => false,
    };

    private static string? FindHome() =>
        GroupDatabase.FindFirstMember(OwnersGroup) is { } user ? UserAccount.Find(user)?.Home : null;

    private static bool IsWithin(string path, string home)
    {
        string full = Path.GetFullPath(path.Length == 0 || path == "~" ? home : path, "/");
        return full == home || full.StartsWith(home.TrimEnd('/') + "/", StringComparison.Ordinal);
    }

    private static long SizeOfFiles(string directory) => directory.Length == 0
        ? 0
        : SizeOf(Path.Combine(directory, FirewallFile.Name)) + SizeOf(Path.Combine(directory, NotesFile.Name));

    /// <summary>What a directory with everything in it takes on disk; links are not followed.</summary>
    private static long SizeOfTree(string root) => SizeOf(root) + new FileSystemEnumerable<long>(
        root,
        static (ref FileSystemEntry entry) => SizeOf(entry.ToFullPath()),
        new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.None })
    {
        ShouldRecursePredicate = static (ref FileSystemEntry entry) => (entry.Attributes & FileAttributes.ReparsePoint) == FileAttributes.None,
    }.Sum();

    private static long SizeOf(string path) => (long?)FileStatus.Find(path)?.AllocatedSize ?? 0;
}
