using Qubes.Client.State;
using Qubes.Client.Transport;

namespace Qubes.Client;

/// <summary>The whole system, and the place to get a <see cref="Qube"/> from.</summary>
public sealed class QubesApp(IAdminTransport transport) : PropertyHolder(transport, "dom0", "admin.property.")
{
    /// <summary>Whether the daemon is on this machine, so that this client acts as dom0.</summary>
    public bool IsLocal => Transport.IsLocal;

    /// <summary>A handle for the qube of that name; whether it exists shows when it is used.</summary>
    public Qube this[string name] => new(Transport, name);

    /// <summary>The qubes the caller may see, dom0 first, then by name.</summary>
    public async ValueTask<IReadOnlyList<QubeInfo>> ListQubesAsync(CancellationToken cancellation = default) =>
        [.. Lines(await CallAsync("admin.vm.List", cancellation: cancellation)).Select(QubeInfo.Parse)];

    /// <summary>Everything the caller may see, in one call. Daemons of Qubes OS do not know it.</summary>
    public async ValueTask<SystemState> GetStateAsync(CancellationToken cancellation = default)
    {
        AdminCall call = new(Name, "admin.state.Get", "", ReadOnlyMemory<byte>.Empty);
        if (!Transport.IsLocal)
        {
            // Over qrexec only a call made as a whole tells why it was refused.
            return SystemState.Parse(AdminReply.Content(await Transport.SendAsync(call, cancellation)));
        }

        try
        {
            await using Stream reply = await Transport.OpenAsync(call, cancellation);
            return await SystemState.ReadAsync(await AdminReply.ContentAsync(reply, cancellation), cancellation);
        }
        catch (IOException e)
        {
            throw ClientErrors.Communication($"Connection to qubesd was lost: {e.Message}");
        }
    }

    public async ValueTask<string[]> ListLabelsAsync(CancellationToken cancellation = default) =>
        Lines(await CallAsync("admin.label.List", cancellation: cancellation));

    public async ValueTask<string[]> ListClassesAsync(CancellationToken cancellation = default) =>
        Lines(await CallAsync("admin.vmclass.List", cancellation: cancellation));

    public async ValueTask<string[]> ListDeviceClassesAsync(CancellationToken cancellation = default) =>
        Lines(await CallAsync("admin.deviceclass.List", cancellation: cancellation));

    public async ValueTask<string[]> ListPoolsAsync(CancellationToken cancellation = default) =>
        Lines(await CallAsync("admin.pool.List", cancellation: cancellation));

    /// <summary>Configuration and use of a pool: the lines of <c>admin.pool.Info</c> in their order.</summary>
    public async ValueTask<IReadOnlyList<KeyValuePair<string, string>>> GetPoolInfoAsync(string pool, CancellationToken cancellation = default) =>
        [.. Lines(await CallAsync("admin.pool.Info", pool, cancellation: cancellation))
            .Select(l => l.Split('=', 2)).Where(p => p.Length == 2).Select(p => new KeyValuePair<string, string>(p[0], p[1]))];

    /// <summary>The drivers of pools, each with the names of its options.</summary>
    public async ValueTask<IReadOnlyList<(string Driver, string[] Options)>> ListPoolDriversAsync(CancellationToken cancellation = default) =>
        [.. Lines(await CallAsync("admin.pool.ListDrivers", cancellation: cancellation)).Select(l => l.Split(' ')).Select(w => (w[0], w[1..]))];

    /// <summary>Adds a pool.</summary>
    public async ValueTask AddPoolAsync(
        string pool, string driver, IReadOnlyDictionary<string, string> driverOptions, CancellationToken cancellation = default) =>
        await CallAsync("admin.pool.Add", driver, $"name={pool}\n"
            + string.Concat(driverOptions.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => $"{o.Key}={o.Value}\n")), cancellation);

    /// <summary>Removes a pool; its data stays.</summary>
    public async ValueTask RemovePoolAsync(string pool, CancellationToken cancellation = default) =>
        await CallAsync("admin.pool.Remove", pool, cancellation: cancellation);

    /// <summary>Creates a qube.</summary>
    /// <param name="class">For example <c>AppVM</c>.</param>
    /// <param name="name">Its name.</param>
    /// <param name="label">Its label.</param>
    /// <param name="template">Template's name, or null for the default one.</param>
    /// <param name="pool">Pool for all volumes the class creates, or null for the default pools.</param>
    /// <param name="volumePools">Pools by volume name; not together with <paramref name="pool"/>.</param>
    /// <param name="cancellation">Stops waiting for the answer; the daemon goes on.</param>
    public async ValueTask<Qube> CreateAsync(string @class, string name, string label, string? template = null, string? pool = null,
        IReadOnlyDictionary<string, string>? volumePools = null, CancellationToken cancellation = default)
    {
        string payload = $"name={name} label={label}";
        string method = "admin.vm.Create.";
        if (pool is not null || volumePools is { Count: > 0 })
        {
            method = "admin.vm.CreateInPool.";
            payload += pool is not null ? $" pool={pool}"
                : string.Concat(volumePools!.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $" pool:{p.Key}={p.Value}"));
        }

        await CallAsync(method + @class, template ?? "", payload, cancellation);
        return this[name];
    }

    /// <summary>A new disposable, halted unless one was kept ready. Whoever asked for it kills it in the end.</summary>
    /// <param name="template">Its template, or null for the caller's default one.</param>
    /// <param name="cancellation">Stops waiting for the answer; the daemon goes on.</param>
    public async ValueTask<Qube> CreateDisposableAsync(string? template = null, CancellationToken cancellation = default) =>
        this[await (template is null ? this : (PropertyHolder)this[template]).CallAsync("admin.vm.CreateDisposable", cancellation: cancellation)];

    /// <summary>Events as they happen, of the whole system or of one qube, until the connection ends.</summary>
    public async IAsyncEnumerable<AdminEvent> EventsAsync(
        string destination = "dom0", [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await using Stream stream = await Transport.OpenAsync(new AdminCall(destination, "admin.Events"), cancellation);
        await foreach (AdminEvent admin in EventReader.ReadAsync(stream, cancellation))
        {
            yield return admin;
        }
    }
}
