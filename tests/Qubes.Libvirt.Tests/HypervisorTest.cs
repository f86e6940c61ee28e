using System.Threading.Channels;

namespace Qubes.Libvirt.Tests;

/// <summary>A session with libvirt's test driver, which all sessions of this process share: each test uses names of its own.</summary>
public abstract class HypervisorTest : IAsyncLifetime
{
    protected const string TestUri = "test:///default";
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    protected LibvirtSession Session { get; private set; } = null!;

    protected string NewName { get; } = "t" + Guid.NewGuid().ToString("N")[..12];

    public virtual async ValueTask InitializeAsync() => Session = await LibvirtSession.OpenAsync(TestUri);

    public async ValueTask DisposeAsync()
    {
        await Session.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected static string TestXml(string name, Guid uuid) =>
        $"<domain type='test'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory><vcpu>2</vcpu><os><type>hvm</type></os></domain>";

    /// <summary>The kinds of the next <paramref name="count"/> events of one domain.</summary>
    protected static async Task<List<DomainEventKind>> NextEventsAsync(ChannelReader<HypervisorEvent> events, string name, int count)
    {
        var kinds = new List<DomainEventKind>();
        while (kinds.Count < count)
        {
            if (await events.ReadAsync().AsTask().WaitAsync(Patience) is DomainEvent happened && happened.Name == name)
                kinds.Add(happened.Kind);
        }

        return kinds;
    }
}
