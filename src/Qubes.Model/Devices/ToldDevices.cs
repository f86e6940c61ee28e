using Qubes.Protocol.Devices;

namespace Qubes.Model.Devices;

/// <summary>The ports of one backend and class that clients know of, each with the name of the qube it is attached to, if any.</summary>
internal sealed class ToldDevices
{
    private Dictionary<string, string?> _frontends = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string?> Frontends => _frontends;

    public void Replace(IEnumerable<DeviceInfo> devices) =>
        _frontends = devices.ToDictionary(d => d.Port.PortId, d => d.Attachment, StringComparer.Ordinal);

    /// <summary>Only for a port that is known: one that is not has yet to be told.</summary>
    public void Set(string port, string? frontend)
    {
        if (_frontends.ContainsKey(port))
        {
            _frontends[port] = frontend;
        }
    }

    public void Clear() => _frontends = new(StringComparer.Ordinal);
}
