using Qubes.Model.Classes;
using Qubes.Protocol.Devices;

namespace Qubes.Model.Devices;

/// <summary>Asks the person at the screen which qube shall get a device.</summary>
public interface IAttachmentPrompt
{
    /// <summary>One of the candidates; null if nobody answered, or the answer was no. Does not throw.</summary>
    Task<LocalQube?> AskAsync(DeviceInfo device, IReadOnlyList<LocalQube> candidates);
}
