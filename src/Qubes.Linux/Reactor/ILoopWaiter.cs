namespace Qubes.Linux;

/// <summary>What the model loop sleeps on while its queue is empty.</summary>
public interface ILoopWaiter : IDisposable
{
    /// <summary>
    /// Called on the loop's thread only. Sleeps until <see cref="Wake"/>, something of its own to do, or the end of the
    /// time; does what is due of its own; returns.
    /// </summary>
    /// <param name="block">False: only do what is due now, the queue has work waiting.</param>
    void Wait(bool block);

    /// <summary>Ends the present or the next <see cref="Wait"/>. Any thread.</summary>
    void Wake();
}
