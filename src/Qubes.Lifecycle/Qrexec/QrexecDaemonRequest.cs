using Qubes.Model.Classes;

namespace Qubes.Lifecycle.Qrexec;

/// <summary>What a qrexec daemon is told of its qube: taken from the model when it is started.</summary>
/// <param name="Timeout">How long to wait for the guest's agent; null: the guest announces none, so do not wait.</param>
internal sealed record QrexecDaemonRequest(string Name, Guid Uuid, int Xid, string DefaultUser, bool IsQuiet, TimeSpan? Timeout)
{
    /// <summary>The feature with which a guest announces its agent.</summary>
    internal const string Feature = "qrexec";

    internal static QrexecDaemonRequest Of(QubesVM qube, bool wait) => new(
        qube.Name, qube.Uuid.Value, qube.Runtime.Xid, BootProperties.EffectiveDefaultUser(qube), !qube.Debug,
        wait && !string.IsNullOrEmpty(qube.Features.CheckWithTemplate(Feature)) ? TimeSpan.FromSeconds(qube.QrexecTimeout) : null);
}
