using System.Buffers;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Protocol.Devices;

namespace Qubes.Model.Devices;

/// <summary>
/// The sources of devices, one a class, and what was last told of their lists: where a list differs from that, events tell it.
/// </summary>
public sealed class DeviceSources
{
    /// <summary>Names of calls and of files in the service directory are made of a class's name.</summary>
    private const int LongestClass = 32;

    private static readonly SearchValues<char> ClassCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    private readonly SortedDictionary<string, DeviceClassState> _classes = new(StringComparer.Ordinal);

    internal DeviceSources(QubesApp app) => App = app;

    internal QubesApp App { get; }

    /// <summary>The classes that have a source, sorted.</summary>
    public IReadOnlyCollection<string> Classes => _classes.Keys;

    /// <summary>Asks people where several qubes want a device, or one wants to be asked for. Null: nobody can be asked.</summary>
    public IAttachmentPrompt? Prompt { get; set; }

    /// <summary>Told of what failed while devices were attached or detached without a caller.</summary>
    public Action<string, Exception>? Failed { get; set; }

    /// <summary>Whether a class of devices can have this name.</summary>
    public static bool IsClassName(string untrustedName)
    {
        ArgumentNullException.ThrowIfNull(untrustedName);
        return untrustedName.Length is > 0 and <= LongestClass && !untrustedName.AsSpan().ContainsAnyExcept(ClassCharacters);
    }

    /// <summary>Raised on the model loop when a class has got or lost its source.</summary>
    public event Action? ClassesChanged;

    public IDeviceSource? Find(string deviceClass) => _classes.GetValueOrDefault(deviceClass)?.Source;

    /// <summary>What the qube has attached, of all classes.</summary>
    public IEnumerable<DeviceAssignment> AttachedTo(LocalQube frontend) =>
        _classes.Values.SelectMany(state => frontend.DevicesOf(state.Source.DeviceClass).Attached);

    /// <summary>Makes a class of devices known, until the result is disposed.</summary>
    /// <exception cref="ArgumentException">The class has another source, or its name cannot be one.</exception>
    public IDisposable Register(IDeviceSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        string name = source.DeviceClass;
        if (!IsClassName(name))
        {
            throw new ArgumentException($"'{name}' cannot be a device class", nameof(source));
        }

        if (!_classes.TryAdd(name, new DeviceClassState(source)))
        {
            throw new ArgumentException($"device class '{name}' has a source already", nameof(source));
        }

        ClassesChanged?.Invoke();
        return new Registration(this, source);
    }

    /// <summary>
    /// The list of a source changed: compares it with what was told before, fires the events, and attaches to qubes that wait for
    /// what is new. Does not throw: what fails is told to <see cref="Failed"/>.
    /// </summary>
    public Task AnnounceAsync(IDeviceSource source, LocalQube backend)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(backend);
        TouchAttachments();
        return StateOf(source) is { } state ? DeviceListChange.RunAsync(this, state, backend) : Task.CompletedTask;
    }

    /// <summary>
    /// Takes the list of a source for told, without events: what is there when the daemon begins is no news.
    /// </summary>
    public void TakeForTold(IDeviceSource source, LocalQube backend)
    {
        ArgumentNullException.ThrowIfNull(source);
        StateOf(source)?.Told(backend).Replace(source.Exposed(backend));
        TouchAttachments();
    }

    internal IEnumerable<DeviceClassState> All => _classes.Values.ToArray();

    /// <summary>What the qube has attached is another by now, or may be.</summary>
    internal void TouchAttachments(LocalQube frontend) => App.Changes.TouchUnsaved(frontend, ModelAspect.Attachments);

    /// <summary>As before, for all that can have some: a list of devices that became another can say something else of any of them.</summary>
    internal void TouchAttachments()
    {
        foreach (LocalQube qube in App.Domains.OfType<LocalQube>().Where(q => !q.IsHalted || AttachedTo(q).Any()))
        {
            TouchAttachments(qube);
        }
    }

    internal void ReportFailure(string what, Exception failure) => Failed?.Invoke(what, failure);

    /// <summary>An attachment or detachment made through us is no news either.</summary>
    internal void NoteAttachment(DevicePort port, LocalQube? frontend)
    {
        if (_classes.TryGetValue(port.DeviceClass, out DeviceClassState? state)
            && App.Domains.TryGet(port.Backend, out Qube? backend) && backend is LocalQube local)
        {
            state.Told(local).Set(port.PortId, frontend?.Name);
        }
    }

    private DeviceClassState? StateOf(IDeviceSource source) =>
        _classes.GetValueOrDefault(source.DeviceClass) is { } state && state.Source == source ? state : null;

    private sealed class Registration(DeviceSources owner, IDeviceSource source) : IDisposable
    {
        public void Dispose()
        {
            if (owner.StateOf(source) is not null)
            {
                owner._classes.Remove(source.DeviceClass);
                owner.ClassesChanged?.Invoke();
                owner.TouchAttachments();
            }
        }
    }
}
