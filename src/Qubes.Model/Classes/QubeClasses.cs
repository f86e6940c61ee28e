using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Qubes.Model.Events;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;

namespace Qubes.Model.Classes;

/// <summary>The classes of qubes that are part of the daemon; see <see cref="QubeClassSet"/> for all of a system.</summary>
public static class QubeClasses
{
    private const long RootSize = 10L << 30;
    private const long PrivateSize = 2L << 30;

    private static readonly VolumeConfig KeptRoot = new() { Name = "root", Rw = true, SaveOnStop = true, Size = RootSize };
    private static readonly VolumeConfig SnapshotRoot = new() { Name = "root", Rw = true, SnapOnStart = true, SourceFromTemplate = true };
    private static readonly VolumeConfig KeptPrivate = new() { Name = "private", Rw = true, SaveOnStop = true, Size = PrivateSize };
    private static readonly VolumeConfig SnapshotPrivate =
        new() { Name = "private", Rw = true, SnapOnStart = true, SourceFromTemplate = true };

    private static readonly VolumeConfig Volatile = new() { Name = "volatile", Rw = true, Size = RootSize };
    private static readonly VolumeConfig KernelVolume = new() { Name = "kernel" };

    public static QubeClass AdminVM { get; } = new("AdminVM", EmitterClass.AdminVM, new PropertyTable(AdminVMProperties.All), create: null, []);

    public static QubeClass AppVM { get; } = new(
        "AppVM",
        EmitterClass.AppVM,
        new PropertyTable([.. AppVMProperties.All, .. DisposableTemplateProperties.All, .. QubesVMProperties.All]),
        static (app, qubeClass, identity) => new AppVM(app, qubeClass, identity),
        [SnapshotRoot, KeptPrivate, Volatile, KernelVolume]);

    public static QubeClass RemoteVM { get; } = new(
        "RemoteVM",
        EmitterClass.RemoteVM,
        new PropertyTable(RemoteVMProperties.All),
        static (app, qubeClass, identity) => new RemoteVM(app, qubeClass, identity),
        []);

    public static QubeClass StandaloneVM { get; } = new(
        "StandaloneVM",
        EmitterClass.StandaloneVM,
        new PropertyTable([.. DisposableTemplateProperties.All, .. QubesVMProperties.All]),
        static (app, qubeClass, identity) => new StandaloneVM(app, qubeClass, identity),
        [KeptRoot, KeptPrivate, Volatile, KernelVolume]);

    public static QubeClass TemplateVM { get; } = new(
        "TemplateVM",
        EmitterClass.TemplateVM,
        new PropertyTable([.. TemplateVMProperties.All, .. QubesVMProperties.All]),
        static (app, qubeClass, identity) => new TemplateVM(app, qubeClass, identity),
        [KeptRoot, KeptPrivate, Volatile, KernelVolume]);

    public static QubeClass DispVM { get; } = new(
        "DispVM",
        EmitterClass.DispVM,
        new PropertyTable([.. DispVMProperties.All, .. QubesVMProperties.All]),
        static (app, qubeClass, identity) => new DispVM(app, qubeClass, identity),
        [SnapshotRoot, SnapshotPrivate, Volatile with { Size = RootSize + PrivateSize }, KernelVolume]);

    /// <summary>All, by name.</summary>
    public static IReadOnlyList<QubeClass> All { get; } = [AdminVM, AppVM, DispVM, RemoteVM, StandaloneVM, TemplateVM];

    private static FrozenDictionary<string, QubeClass> ByName { get; } = All.ToFrozenDictionary(c => c.Name, StringComparer.Ordinal);

    public static bool TryFind(string name, [NotNullWhen(true)] out QubeClass? found) => ByName.TryGetValue(name, out found);
}
