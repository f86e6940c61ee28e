using System.Xml;
using System.Xml.Linq;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle;

/// <summary>What is done to running qubes beside starting and stopping them.</summary>
public sealed partial class QubeLifecycle
{
    /// <inheritdoc/>
    public Task SuspendAsync(Qube qube) => TranslatedAsync(() => _sleeper.SuspendAsync(Vm(qube, "suspend")));

    /// <inheritdoc/>
    public Task ResumeAsync(Qube qube) => TranslatedAsync(() => _sleeper.ResumeAsync(Vm(qube, "resume")));

    /// <inheritdoc/>
    public Task SuspendAllAsync() => TranslatedAsync(_sleeper.SuspendAllAsync);

    /// <inheritdoc/>
    public Task ResumeAllAsync() => TranslatedAsync(_sleeper.ResumeAllAsync);

    private const string Terminals = "/dev/pts/";

    /// <inheritdoc/>
    public async Task<string> FindConsoleAsync(Qube qube)
    {
        if (qube is not QubesVM vm || !vm.IsRunning)
        {
            throw QubesErrors.VMNotRunning(qube.Name);
        }

        string description = "";
        await TranslatedAsync(async () => description = await _context.Hypervisor.DescribeAsync(DomainKey.Of(vm)));
        string console = ConsoleOf(description);

        // The terminal is the hypervisor's; the service that joins it to the caller is none of its.
        if (_options.Account is { } account && console.StartsWith(Terminals, StringComparison.Ordinal))
        {
            await Task.Run(() => account.LetUse(console));
        }

        return console;
    }

    /// <inheritdoc/>
    public Task ResizeVolumeAsync(QubesVM qube, string volume, long size) => TranslatedAsync(() => _resizer.ResizeAsync(qube, volume, size));

    /// <inheritdoc/>
    public Task ResizeVolumeInGuestAsync(QubesVM qube, string volume) => TranslatedAsync(() => _resizer.ResizeInGuestAsync(qube, volume));

    /// <summary>The <c>tty</c> of the first console of a description, <c>/domain/devices/console/@tty</c>.</summary>
    internal static string ConsoleOf(string description)
    {
        try
        {
            using XmlReader reader = XmlReader.Create(new StringReader(description), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            return (string?)XDocument.Load(reader).Root?.Element("devices")?.Element("console")?.Attribute("tty") ?? "";
        }
        catch (XmlException malformed)
        {
            throw new QubesException(QubesErrorNames.QubesException, "The hypervisor's description of the qube cannot be read", malformed);
        }
    }
}
