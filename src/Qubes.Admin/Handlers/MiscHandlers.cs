using System.Buffers;
using System.Globalization;
using System.Text;
using Qubes.Admin.Calls;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.QubesDb;

namespace Qubes.Admin.Handlers;

/// <summary>What qubes tell of themselves: the calls of the misc socket. The source is whoever tells.</summary>
internal static class MiscHandlers
{
    private const string RequestPrefix = "/features-request/";
    private const string ToolsPrefix = "/qubes-tools/";
    private const string UpdatesAvailable = "updates-available";

    private const string LettersAndDigits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private const string RequestCharacters = LettersAndDigits + "-.,_= ";

    private static readonly SearchValues<byte> RequestBytes = SearchValues.Create(Encoding.ASCII.GetBytes(RequestCharacters));
    private static readonly SearchValues<byte> ToolsBytes = SearchValues.Create(Encoding.ASCII.GetBytes(LettersAndDigits));
    private static readonly string[] ToolsFeatures = ["qrexec", "gui", "gui-emulated", "default-user", "os"];

    /// <summary>The qube has written what it is and wants into its QubesDB.</summary>
    public static async ValueTask FeaturesRequestAsync(AdminCall call)
    {
        IReadOnlyList<QubesDbEntry> entries = await DatabaseOwner(call).QubesDb.ReadAllUntrustedAsync(RequestPrefix);
        SortedDictionary<string, string> untrustedFeatures = new(StringComparer.Ordinal);
        foreach ((string path, byte[] value) in entries)
        {
            untrustedFeatures[path[RequestPrefix.Length..]] = Checked(value, RequestBytes, RequestCharacters);
        }

        await RequestAsync(call, untrustedFeatures);
    }

    /// <summary>The same in the words of older agents: five keys, of which all may be missing.</summary>
    public static async ValueTask NotifyToolsAsync(AdminCall call)
    {
        LocalQube source = DatabaseOwner(call);
        SortedDictionary<string, string> untrustedFeatures = new(StringComparer.Ordinal);
        foreach (string feature in ToolsFeatures)
        {
            if (await source.QubesDb.ReadUntrustedAsync(ToolsPrefix + feature) is { Length: > 0 } value)
            {
                untrustedFeatures[feature] = Checked(value, ToolsBytes, LettersAndDigits);
            }
        }

        await RequestAsync(call, untrustedFeatures);
    }

    /// <summary>The qube has looked for updates and found so many.</summary>
    public static async ValueTask NotifyUpdatesAsync(AdminCall call)
    {
        ReadOnlySpan<byte> untrustedCount = call.UntrustedPayload.AsSpan().Trim(" \t\n\r\v\f"u8);
        if (untrustedCount.IsEmpty || untrustedCount.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            throw QubesErrors.Protocol("Update count is not a digit");
        }

        bool hasUpdates = untrustedCount.ContainsAnyExcept((byte)'0');
        if (IsUpdateable(call.Source))
        {
            await RecordAsync(call, call.Source, hasUpdates);
            return;
        }

        // A hint about its template, which tells itself while it runs; and that there is nothing new here says nothing of it.
        Qube? template = call.Source.Template;
        while (template is not null && !IsUpdateable(template))
        {
            template = template.Template;
        }

        if (template is null || template.IsRunning || !hasUpdates || call.Source is not QubesVM source)
        {
            return;
        }

        // What an outdated qube lacks may have been installed in the template since.
        bool isOutdated = (await call.Services.Lifecycle.StorageOf(source).FindOutdatedAsync()).Count > 0;
        if (!isOutdated && template is { IsInCollection: true, IsRunning: false })
        {
            await RecordAsync(call, template, hasUpdates: true);
        }
    }

    private static LocalQube DatabaseOwner(AdminCall call) => call.Source switch
    {
        LocalQube { QubesDb.IsConnected: true } local => local,
        LocalQube => throw QubesErrors.VMNotRunning(call.Source.Name),
        _ => throw QubesErrors.Protocol("only qubes of this host have a QubesDB"),
    };

    private static string Checked(byte[] untrustedValue, SearchValues<byte> safe, string safeText) =>
        untrustedValue.AsSpan().ContainsAnyExcept(safe)
            ? throw QubesErrors.Protocol("Value outside safe set: " + safeText)
            : Encoding.ASCII.GetString(untrustedValue);

    private static async Task RequestAsync(AdminCall call, IReadOnlyDictionary<string, string> untrustedFeatures)
    {
        // Removed while its database was read: there is nobody left to have features.
        if (!call.Source.IsInCollection)
        {
            throw QubesErrors.VMNotFound(call.Source.Name);
        }

        using ModelChange change = call.BeginChange();
        await call.Source.FireAsync("features-request", EventArguments.Of("untrusted_features", untrustedFeatures));
        await call.CommitAsync(change);
    }

    private static bool IsUpdateable(Qube qube) => qube is AdminVM or QubesVM { IsUpdateable: true };

    private static async Task RecordAsync(AdminCall call, Qube qube, bool hasUpdates)
    {
        string now = call.Services.Clock.GetLocalNow().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        using ModelChange change = call.BeginChange();
        if (qube.Features.IsTrue(UpdatesAvailable) && !hasUpdates)
        {
            qube.Features.Set("last-update", now);
        }

        qube.Features.Set(UpdatesAvailable, hasUpdates);
        qube.Features.Set("last-updates-check", now);
        await call.CommitAsync(change);
    }
}
