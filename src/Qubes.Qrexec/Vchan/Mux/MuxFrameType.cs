namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>Frame types of docs/vchan-mux.md. The values are on the wire.</summary>
internal enum MuxFrameType : byte
{
    None = 0,
    Open = 1,
    Accept = 2,
    Refuse = 3,
    Data = 4,
    Credit = 5,
    Close = 6,
    Reset = 7,
    Ping = 8,
    Pong = 9,
}
