using Qubes.Policy.SystemState;

namespace Qubes.Policy.Tests;

/// <summary>A small system that has one of everything policy can tell apart.</summary>
internal static class TestSystem
{
    public const string WorkUuid = "11111111-0000-4000-8000-000000000001";
    public const string DvmUuid = "11111111-0000-4000-8000-000000000002";
    public const string BankUuid = "11111111-0000-4000-8000-000000000003";

    public static SystemInfo Info { get; } = new(
    [
        new() { Name = "dom0", Type = "AdminVM", Uuid = "00000000-0000-0000-0000-000000000000", Tags = ["host"], PowerState = "Running", Icon = "appvm-black", DefaultDispvm = "dvm" },
        Qube("work", uuid: WorkUuid, tags: ["office", "red"], power: "Running") with { Guivm = "dom0" },
        Qube("bank", uuid: BankUuid, tags: ["office"]) with { Guivm = "gui" },
        Qube("gui", power: "Running"),
        Qube("nodvm") with { DefaultDispvm = null },
        Qube("baddvm") with { DefaultDispvm = "work" },
        Qube("gonedvm") with { DefaultDispvm = "gone" },
        Qube("hidden") with { Internal = "1" },
        Qube("dvm", uuid: DvmUuid, icon: "appvm-red") with { TemplateForDispvms = true },
        Qube("dvm2", tags: ["viewer"]) with { TemplateForDispvms = true },
        Qube("hiddendvm") with { TemplateForDispvms = true, Internal = "1" },
        Qube("fedora", type: "TemplateVM"),
        Qube("alone", type: "StandaloneVM", tags: ["red"]),
        Qube("relay", power: "Running"),
        Qube("far", type: "RemoteVM", power: "Running") with { Relayvm = "relay", TransportRpc = "air.SSHProxy", DefaultDispvm = null },
        Qube("far2", type: "RemoteVM", power: "Running") with { Relayvm = "relay", TransportRpc = "air.SSHProxy", DefaultDispvm = null },
        Qube("norelay", type: "RemoteVM") with { TransportRpc = "air.SSHProxy" },
        Qube("notransport", type: "RemoteVM") with { Relayvm = "relay" },
        Qube("gonerelay", type: "RemoteVM") with { Relayvm = "gone", TransportRpc = "air.SSHProxy" },
    ]);

    public static string UuidOf(string name) => Info.Find(name)!.Uuid;

    private static QubeInfo Qube(
        string name, string type = "AppVM", string? uuid = null, string[]? tags = null, string power = "Halted", string icon = "appvm-green") =>
        new()
        {
            Name = name,
            Type = type,
            Uuid = uuid ?? $"22222222-0000-4000-8000-{Math.Abs(StableHash(name)):x12}",
            Tags = [.. tags ?? []],
            DefaultDispvm = "dvm",
            PowerState = power,
            Icon = icon,
            Label = "0xcc0000",
        };

    private static int StableHash(string text) => text.Aggregate(17, (hash, c) => unchecked((hash * 31) + c));
}
