using System.Runtime.InteropServices;

namespace Qubes.Linux;

/// <summary>One descriptor watched by a <see cref="Reactor"/>. Belongs to the loop's thread.</summary>
public sealed class ReactorRegistration : IDisposable
{
    private readonly Reactor _reactor;

    internal ReactorRegistration(Reactor reactor, SafeHandle descriptor, IReactorHandler handler, int slot, uint generation)
    {
        _reactor = reactor;
        Descriptor = descriptor;
        Handler = handler;
        Slot = slot;
        Generation = generation;
    }

    internal SafeHandle Descriptor { get; }

    internal IReactorHandler Handler { get; }

    internal int Slot { get; }

    internal uint Generation { get; }

    /// <summary>Changes what is waited for.</summary>
    public void Change(ReactorEvents events) => _reactor.Change(this, events);

    /// <summary>Stops watching; must come before the descriptor is closed. No event is delivered afterwards.</summary>
    public void Dispose() => _reactor.Remove(this);
}
