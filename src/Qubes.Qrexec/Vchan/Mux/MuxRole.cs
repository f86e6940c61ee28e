namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>Which end of a link this is. The protocol is the same; stream numbers and the way a lost carrier shows differ.</summary>
public enum MuxRole
{
    /// <summary>The host: opens streams with even numbers.</summary>
    Host,

    /// <summary>The guest: opens streams with odd numbers.</summary>
    Guest,
}
