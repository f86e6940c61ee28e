namespace Qubes.Qrexec.Vchan;

/// <summary>The peer of a vchan is gone.</summary>
public sealed class VchanClosedException : VchanException
{
    public VchanClosedException() : base("the vchan is disconnected")
    {
    }

    public VchanClosedException(Exception inner) : base("the vchan is disconnected", inner)
    {
    }
}
