using Qubes.Protocol.Text;

namespace Qubes.Protocol.Errors;

/// <summary>
/// Every error a caller of the Admin API can meet, with the texts clients and people know. The text is what upstream's
/// clients print; names inside it stand in Python's repr form.
/// </summary>
public static class QubesErrors
{
    public static QubesException General(string text) => new(text);

    public static ProtocolErrorException Protocol(string text) => new(text);

    /// <summary>
    /// What was sent is no request, so nothing was asked. Programs written for Qubes OS report this class as they report a connection closed
    /// without an answer; a <c>ProtocolError</c> ends them with a trace.
    /// </summary>
    public static QubesException Communication(string text) => new(QubesErrorNames.DaemonCommunication, text);

    public static PermissionDeniedException PermissionDenied(string text) => new(text);

    /// <summary>An argument that is not one of the allowed ones, or names something that does not exist.</summary>
    public static PermissionDeniedException ArgumentNotIn(string list) => new($"Argument not in {PythonText.Repr(list)}");

    public static QubesException VMNotFound(string nameOrUuid) =>
        new(QubesErrorNames.VMNotFound, $"No such domain: {PythonText.Repr(nameOrUuid)}");

    public static QubesException VMInvalidUuid(string untrustedUuid) =>
        new(QubesErrorNames.VMInvalidUuid, $"VM UUID is not valid: {PythonText.Repr(untrustedUuid)}");

    public static QubesException VMAlreadyExists(string name) =>
        new(QubesErrorNames.VMAlreadyExists, $"Qube already exists: {name}");

    public static QubesException VM(string text) => new(QubesErrorNames.VMError, text);

    public static QubesException VMInUse(string name, string? text = null) =>
        new(QubesErrorNames.VMInUse, text ?? $"Domain is in use: {PythonText.Repr(name)}");

    public static QubesException VMNotStarted(string name, string? text = null) =>
        new(QubesErrorNames.VMNotStarted, text ?? $"Domain is powered off: {PythonText.Repr(name)}");

    public static QubesException VMNotRunning(string name, string? text = null) =>
        new(QubesErrorNames.VMNotRunning, text ?? $"Domain not running (either powered off or paused): {PythonText.Repr(name)}");

    public static QubesException VMNotPaused(string name) =>
        new(QubesErrorNames.VMNotPaused, $"Domain is not paused: {PythonText.Repr(name)}");

    public static QubesException VMCancelledPause(string name) =>
        new(QubesErrorNames.VMCancelledPause, $"Domain won't be paused: {PythonText.Repr(name)}");

    public static QubesException VMNotSuspended(string name) =>
        new(QubesErrorNames.VMNotSuspended, $"Domain is not suspended: {PythonText.Repr(name)}");

    public static QubesException VMNotHalted(string name, string? text = null) =>
        new(QubesErrorNames.VMNotHalted, text ?? $"Domain is not powered off: {PythonText.Repr(name)}");

    public static QubesException VMShutdownTimeout(string name, string? text = null) =>
        new(QubesErrorNames.VMShutdownTimeout, text ?? $"Domain shutdown timed out: {PythonText.Repr(name)}");

    public static QubesException NoTemplate(string name) =>
        new(QubesErrorNames.NoTemplate, $"Template for the domain {PythonText.Repr(name)} not found");

    public static QubesException NotEnoughMemory(string name) =>
        new(QubesErrorNames.Memory, $"Not enough memory to start domain {PythonText.Repr(name)}");

    public static QubesException PoolInUse(string pool) =>
        new(QubesErrorNames.PoolInUse, $"Storage pool is in use: {PythonText.Repr(pool)}");

    public static QubesException PoolIsDefault(string property) =>
        new(QubesErrorNames.PoolInUse, $"Storage pool is in use: set as {property}");

    public static QubesException Value(string text) => new(QubesErrorNames.Value, text);

    public static QubesException PropertyValue(string text) => new(QubesErrorNames.PropertyValue, text);

    /// <summary>The stock text of a refused value; <paramref name="valueText"/> is the value as Python prints it.</summary>
    public static QubesException InvalidPropertyValue(string holder, string property, string valueText) =>
        new(QubesErrorNames.PropertyValue, $"Invalid value {valueText} for property {PythonText.Repr(property)} of {holder}");

    public static QubesException PropertyCannotBeSet(string property, string className) =>
        new(QubesErrorNames.PropertyValue, $"property {PythonText.Repr(property)} on {className} instance cannot be set");

    /// <summary>
    /// Clients know the class as an <c>AttributeError</c>, which is what Qubes OS raises here: they leave such a property out when they copy a
    /// qube's properties to a clone.
    /// </summary>
    public static QubesException PropertyWriteOnce(string property) =>
        new(QubesErrorNames.NoSuchProperty, $"property {PythonText.Repr(property)} is write-once and already set");

    public static QubesException NoSuchProperty(string holder, string property) =>
        new(QubesErrorNames.NoSuchProperty, $"Invalid property {PythonText.Repr(property)} of {holder}");

    public static QubesException NotImplemented(string text = "This feature is not available") =>
        new(QubesErrorNames.NotImplemented, text);

    public static QubesException BackupProfileNotFound(string profile) =>
        new(QubesErrorNames.BackupProfileNotFound, "Backup profile does not exist: " + profile);

    public static QubesException BackupCancelled(string text = "Backup cancelled") => new(QubesErrorNames.BackupCancelled, text);

    public static QubesException BackupAlreadyRunning() => new(QubesErrorNames.BackupAlreadyRunning, "Backup already running");

    public static QubesException FeatureNotFound(string qube, string feature) =>
        new(QubesErrorNames.FeatureNotFound, $"Feature not set for domain {qube}: {feature}");

    public static QubesException TagNotFound(string qube, string tag) =>
        new(QubesErrorNames.TagNotFound, $"Tag not set for domain {qube}: {tag}");

    public static QubesException LabelNotFound(string label) =>
        new(QubesErrorNames.LabelNotFound, $"Label does not exist: {label}");

    public static QubesException LabelInUse(string label) =>
        new(QubesErrorNames.LabelInUse, $"Label is still in use: {label}");

    public static QubesException LabelAlreadyExists(string label) =>
        new(QubesErrorNames.LabelInUse, $"Label already exists: {label}");

    public static ProtocolErrorException InvalidTag(string text) => new(QubesErrorNames.InvalidTag, text);

    public static ProtocolErrorException InvalidLabel(string text) => new(QubesErrorNames.InvalidLabel, text);

    public static ProtocolErrorException InvalidLabelValue(string text) => new(QubesErrorNames.InvalidLabelValue, text);

    public static QubesException RateLimited(string text) => new(QubesErrorNames.RateLimited, text);

    // The device classes and the clone token derive from a key error upstream: their text travels in repr form.
    public static QubesException DeviceNotAssigned(string text) => new(QubesErrorNames.DeviceNotAssigned, PythonText.Repr(text));

    public static QubesException DeviceAlreadyAttached(string text) =>
        new(QubesErrorNames.DeviceAlreadyAttached, PythonText.Repr(text));

    public static QubesException DeviceAlreadyAssigned(string text) =>
        new(QubesErrorNames.DeviceAlreadyAssigned, PythonText.Repr(text));

    public static QubesException DeviceNotFound(string text) => new(QubesErrorNames.DeviceNotFound, PythonText.Repr(text));

    public static ProtocolErrorException UnrecognizedDeviceAssignmentMode(string text) =>
        new(QubesErrorNames.UnrecognizedDeviceAssignmentMode, text);

    public static QubesException UnrecognizedDevice(string text) => new(QubesErrorNames.UnrecognizedDevice, text);

    public static QubesException UnexpectedDeviceProperty(string text) => new(QubesErrorNames.UnexpectedDeviceProperty, text);

    public static QubesException StoragePool(string text) => new(QubesErrorNames.StoragePool, text);

    public static ProtocolErrorException VolumeCopyTokenNotFound() =>
        new(QubesErrorNames.VolumeCopyTokenNotFound, PythonText.Repr("Token to clone volume of qube was not found"));

    public static QubesException VolumeCopyInUse(string qube, string volume) => new(
        QubesErrorNames.VolumeCopyInUse,
        $"Domain volume is being cloned already: {PythonText.Repr(qube)}:{PythonText.Repr(volume)}");

    public static QubesException Conflict(string text) => new(QubesErrorNames.Conflict, text);

    public static QubesException StateExpired() =>
        new(QubesErrorNames.StateExpired, "The changes since this position are no longer kept: get the state again");
}
