namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>Reasons in a REFUSE. The values are on the wire.</summary>
internal enum MuxRefusal : uint
{
    None = 0,

    /// <summary>The link has as many streams as it may.</summary>
    TooManyStreams = 1,

    /// <summary>The domain behind this end can not be reached.</summary>
    Unreachable = 2,
}
