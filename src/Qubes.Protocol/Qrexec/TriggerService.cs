namespace Qubes.Protocol.Qrexec;

/// <summary>
/// A request of a service as the daemon takes it from an agent: sanitised, ready for the policy.
/// <see cref="RequestedSource"/> is null when the message has no such field (versions 2 and 3).
/// </summary>
public sealed record TriggerService(RequestId Id, string? RequestedSource, string Target, string Service)
{
    // TRIGGER_SERVICE, 128 bytes:
    // 0   service_name[64]
    // 64  target_domain[32]
    // 96  request_id[32]
    private const int Version2Size = 128;

    // TRIGGER_SERVICE3, 96 + n bytes:
    // 0   target_domain[64]
    // 64  request_id[32]
    // 96  service_name, NUL terminated, n bytes
    private const int Version3Fixed = 96;

    // TRIGGER_SERVICE4, 160 + n bytes:
    // 0    source_domain[64]
    // 64   target_domain[64]
    // 128  request_id[32]
    // 160  service_name, NUL terminated, n bytes
    private const int Version4Fixed = 160;

    /// <summary>Offset of the request identifier in the body of a version 4 trigger, which agents rewrite.</summary>
    public const int Version4RequestIdOffset = 128;

    /// <summary>Largest body of any trigger.</summary>
    public const int MaxBodySize = Version4Fixed + QrexecLimits.ServiceNameWithNul;

    /// <summary>Whether a header may start such a message; a violation is a broken peer, not a refused request.</summary>
    public static bool IsLengthValid(QrexecMessageType type, uint length) => type switch
    {
        QrexecMessageType.TriggerService => length == Version2Size,
        QrexecMessageType.TriggerService3 => length is > Version3Fixed and <= Version3Fixed + QrexecLimits.ServiceNameWithNul,
        QrexecMessageType.TriggerService4 => length is > Version4Fixed and <= Version4Fixed + QrexecLimits.ServiceNameWithNul,
        _ => false,
    };

    /// <summary>Whether the control link's version admits this kind of trigger.</summary>
    public static bool IsAllowed(QrexecMessageType type, uint negotiatedVersion) => type switch
    {
        QrexecMessageType.TriggerService => negotiatedVersion == 2,
        QrexecMessageType.TriggerService3 => negotiatedVersion >= 3,
        QrexecMessageType.TriggerService4 => negotiatedVersion >= 4,
        _ => false,
    };

    /// <summary>
    /// Reads and sanitises a body whose length <see cref="IsLengthValid"/> admits. Returns null when the request must be refused
    /// without asking the policy; <paramref name="id"/> is set in any case, for the refusal.
    /// </summary>
    public static TriggerService? Read(QrexecMessageType type, ReadOnlySpan<byte> body, out RequestId id)
    {
        if (!IsLengthValid(type, (uint)body.Length))
        {
            throw new ArgumentException("the caller checks the length first", nameof(body));
        }

        ReadOnlySpan<byte> untrustedSource = default;
        ReadOnlySpan<byte> untrustedTarget;
        ReadOnlySpan<byte> untrustedService;
        bool terminated = true;
        if (type == QrexecMessageType.TriggerService)
        {
            id = RequestId.FromField(body.Slice(96, QrexecLimits.RequestIdField));
            untrustedTarget = body.Slice(64, 32);
            untrustedService = QrexecText.UntilNul(body[..64]);
        }
        else
        {
            int at = type == QrexecMessageType.TriggerService4 ? QrexecLimits.QubeNameField : 0;
            untrustedSource = body[..at];
            untrustedTarget = body.Slice(at, QrexecLimits.QubeNameField);
            id = RequestId.FromField(body.Slice(at + QrexecLimits.QubeNameField, QrexecLimits.RequestIdField));
            ReadOnlySpan<byte> tail = body[(at + QrexecLimits.QubeNameField + QrexecLimits.RequestIdField)..];
            terminated = tail.IndexOf((byte)0) == tail.Length - 1;
            untrustedService = terminated ? tail[..^1] : default;
        }

        if (!terminated || !id.IsValid || untrustedService.IsEmpty || untrustedService[0] == (byte)'+')
        {
            return null;
        }

        return new(
            id,
            type == QrexecMessageType.TriggerService4 ? QrexecText.SanitizeQube(QrexecText.UntilNul(untrustedSource)) : null,
            QrexecText.SanitizeQube(QrexecText.UntilNul(untrustedTarget)),
            QrexecText.SanitizeService(untrustedService));
    }

    /// <summary>
    /// Body of a version 4 trigger. Source and target are cut to 63 bytes; the service must not contain NUL.
    /// </summary>
    public static byte[] Version4Body(ReadOnlySpan<byte> source, ReadOnlySpan<byte> target, RequestId id, ReadOnlySpan<byte> service)
    {
        if (service.Length >= QrexecLimits.ServiceNameWithNul)
        {
            throw new ArgumentException("service name too long", nameof(service));
        }

        byte[] body = new byte[Version4Fixed + service.Length + 1];
        QrexecText.WriteField(body.AsSpan(0, QrexecLimits.QubeNameField), source);
        QrexecText.WriteField(body.AsSpan(QrexecLimits.QubeNameField, QrexecLimits.QubeNameField), target);
        id.Field.Span.CopyTo(body.AsSpan(Version4RequestIdOffset));
        service.CopyTo(body.AsSpan(Version4Fixed));
        return body;
    }
}
