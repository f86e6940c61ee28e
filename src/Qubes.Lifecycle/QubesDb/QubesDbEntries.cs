using System.Net;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Model.QubesDb;

namespace Qubes.Lifecycle.QubesDb;

/// <summary>The keys every qube's QubesDB has, apart from those of extensions. Values are those guests know from upstream.</summary>
internal static class QubesDbEntries
{
    private const int SeedLength = 64;

    /// <summary>Writes them all and then lets extensions add theirs.</summary>
    /// <param name="timeZone">The host's; null if not known.</param>
    public static void Write(QubesVM qube, string? timeZone)
    {
        QubeDatabase database = qube.QubesDb;
        database.Write("/name", qube.Name);
        database.Write("/type", qube.Klass);
        database.Write("/default-user", BootProperties.EffectiveDefaultUser(qube));
        database.Write("/qubes-vm-updateable", qube.IsUpdateable ? "True" : "False");
        database.Write("/qubes-vm-persistence", Persistence(qube));
        database.Write("/qubes-debug-mode", qube.Debug ? "1" : "0");
        database.Write("/qubes-base-template", qube.Template?.Name.Value ?? "");
        database.Write("/qubes-random-seed", RandomSeed());
        WriteNetwork(qube, database);
        if (timeZone is null || !string.IsNullOrEmpty(qube.Features.CheckWithTemplate("anon-timezone")))
        {
            database.Remove("/qubes-timezone");
        }
        else
        {
            database.Write("/qubes-timezone", timeZone);
        }

        // Guests fill these in; that they are written tells watchers to look.
        database.Write("/qubes-block-devices", "");
        database.Write("/qubes-usb-devices", "");
        qube.Fire("domain-qdb-create");
    }

    private static string Persistence(QubesVM qube) => qube is DispVM ? "none" : qube.IsUpdateable ? "full" : "rw-only";

    private static void WriteNetwork(QubesVM qube, QubeDatabase database)
    {
        (string primary, string secondary) = qube.Dns is { } dns ? (dns.Primary.ToString(), dns.Secondary.ToString()) : ("", "");
        if (qube.ProvidesNetwork)
        {
            database.Write("/qubes-netvm-network", Text(qube.Gateway));
            database.Write("/qubes-netvm-gateway", Text(qube.Gateway));
            WriteIfAny(database, "/qubes-netvm-gateway6", qube.Gateway6);
            database.Write("/qubes-netvm-netmask", "255.255.255.255");
            database.Write("/qubes-netvm-primary-dns", primary);
            database.Write("/qubes-netvm-secondary-dns", secondary);
        }

        if (qube.NetVM is not null)
        {
            database.Write("/qubes-mac", qube.Mac);
            database.Write("/qubes-ip", Text(qube.VisibleIP));
            database.Write("/qubes-netmask", Text(qube.VisibleNetmask));
            database.Write("/qubes-gateway", Text(qube.VisibleGateway));
            database.Write("/qubes-primary-dns", primary);
            database.Write("/qubes-secondary-dns", secondary);
            WriteIfAny(database, "/qubes-ip6", qube.VisibleIP6);
            WriteIfAny(database, "/qubes-gateway6", qube.VisibleGateway6);
        }
    }

    // The word is what guests get where upstream has no address.
    private static string Text(IPAddress? address) => address?.ToString() ?? "None";

    private static void WriteIfAny(QubeDatabase database, string path, IPAddress? address)
    {
        if (address is not null)
        {
            database.Write(path, address.ToString());
        }
    }

    private static string RandomSeed()
    {
        byte[] seed = new byte[SeedLength];
        KernelRandom.Fill(seed);
        return Convert.ToBase64String(seed);
    }
}
