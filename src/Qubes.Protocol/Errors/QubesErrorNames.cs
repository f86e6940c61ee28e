using System.Collections.Frozen;

namespace Qubes.Protocol.Errors;

/// <summary>The exception class names of error replies, and how clients' classes derive from each other.</summary>
public static class QubesErrorNames
{
    public const string QubesException = "QubesException";
    public const string ProtocolError = "ProtocolError";
    public const string PermissionDenied = "PermissionDenied";

    /// <summary>No request could be made of what was sent. Clients of Qubes OS take no answer at all for this class.</summary>
    public const string DaemonCommunication = "QubesDaemonCommunicationError";

    public const string VMNotFound = "QubesVMNotFoundError";
    public const string VMInvalidUuid = "QubesVMInvalidUUIDError";
    public const string VMAlreadyExists = "QubesVMAlreadyExistsError";
    public const string VMError = "QubesVMError";
    public const string VMInUse = "QubesVMInUseError";
    public const string VMNotStarted = "QubesVMNotStartedError";
    public const string VMNotRunning = "QubesVMNotRunningError";
    public const string VMNotPaused = "QubesVMNotPausedError";
    public const string VMCancelledPause = "QubesVMCancelledPauseError";
    public const string VMNotSuspended = "QubesVMNotSuspendedError";
    public const string VMNotHalted = "QubesVMNotHaltedError";
    public const string VMShutdownTimeout = "QubesVMShutdownTimeoutError";
    public const string NoTemplate = "QubesNoTemplateError";
    public const string Memory = "QubesMemoryError";
    public const string PoolInUse = "QubesPoolInUseError";
    public const string Value = "QubesValueError";
    public const string PropertyValue = "QubesPropertyValueError";
    public const string NoSuchProperty = "QubesNoSuchPropertyError";
    public const string NotImplemented = "QubesNotImplementedError";
    public const string BackupProfileNotFound = "QubesBackupProfileNotFoundError";
    public const string BackupCancelled = "BackupCancelledError";
    public const string BackupCanceled = "BackupCanceledError";
    public const string BackupAlreadyRunning = "BackupAlreadyRunningError";
    public const string FeatureNotFound = "QubesFeatureNotFoundError";
    public const string TagNotFound = "QubesTagNotFoundError";
    public const string LabelNotFound = "QubesLabelNotFoundError";
    public const string LabelInUse = "QubesLabelInUseError";
    public const string InvalidTag = "QubesInvalidTagError";
    public const string InvalidLabel = "QubesInvalidLabelError";
    public const string InvalidLabelValue = "QubesInvalidLabelValueError";
    public const string DeviceNotAssigned = "DeviceNotAssigned";
    public const string DeviceAlreadyAttached = "DeviceAlreadyAttached";
    public const string DeviceAlreadyAssigned = "DeviceAlreadyAssigned";
    public const string DeviceNotFound = "DeviceNotFound";
    public const string UnrecognizedDeviceAssignmentMode = "QubesUnrecognizedDeviceAssignmentMode";
    public const string UnrecognizedDevice = "UnrecognizedDevice";
    public const string UnexpectedDeviceProperty = "UnexpectedDeviceProperty";
    public const string StoragePool = "StoragePoolException";
    /// <summary>Beyond upstream: a caller asked for more than its limits allow.</summary>
    public const string RateLimited = "QubesRateLimitedError";

    public const string VolumeCopyTokenNotFound = "QubesVolumeCopyTokenNotFoundError";
    public const string VolumeCopyInUse = "QubesVolumeCopyInUseError";

    /// <summary>The state moved on since the caller looked: a change it did not know of stands in the way.</summary>
    public const string Conflict = "QubesConflictError";

    /// <summary>The changes since a position of the state are no longer kept.</summary>
    public const string StateExpired = "QubesStateExpiredError";

    // Only what does not derive straight from QubesException.
    private static readonly FrozenDictionary<string, string?> Bases = new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        [QubesException] = null,
        [ProtocolError] = null,
        [PermissionDenied] = null,
        [VMInUse] = VMError,
        [VMNotStarted] = VMError,
        [VMNotRunning] = VMNotStarted,
        [VMNotPaused] = VMNotStarted,
        [VMCancelledPause] = VMError,
        [VMNotSuspended] = VMError,
        [VMNotHalted] = VMError,
        [VMShutdownTimeout] = VMError,
        [NoTemplate] = VMError,
        [Memory] = VMError,
        [PropertyValue] = Value,
        [InvalidTag] = ProtocolError,
        [InvalidLabel] = ProtocolError,
        [InvalidLabelValue] = ProtocolError,
        [UnrecognizedDeviceAssignmentMode] = ProtocolError,
        [VolumeCopyTokenNotFound] = ProtocolError,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    internal static bool IsOrDerives(string name, string ancestor)
    {
        for (string? at = name; at is not null; at = Bases.TryGetValue(at, out string? parent) ? parent : QubesException)
        {
            if (at == ancestor)
            {
                return true;
            }
        }

        return false;
    }
}
