namespace Qubes.Qrexec.Vchan;

/// <summary>A vchan could not be had.</summary>
public class VchanException : IOException
{
    public VchanException(string message) : base(message)
    {
    }

    public VchanException(string message, Exception inner) : base(message, inner)
    {
    }
}
