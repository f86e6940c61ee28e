using System.Runtime.InteropServices;
using Qubes.Libvirt.Native;

namespace Qubes.Libvirt;

/// <summary>Start-up of the library, once per process: initialisation, a silent error handler, the event loop's thread.</summary>
public static unsafe class LibvirtLibrary
{
    private static readonly Lock Gate = new();
    private static bool _started;

    /// <summary>The library's version, for example 9.0.0. Also says whether the library is there.</summary>
    /// <exception cref="DllNotFoundException">libvirt is not installed.</exception>
    public static Version Version
    {
        get
        {
            ulong version;
            Check.Result(LibraryCalls.GetVersion(&version, 0, null), "virGetVersion");
            return new Version((int)(version / 1_000_000), (int)(version / 1000 % 1000), (int)(version % 1000));
        }
    }

    /// <summary>Must come before the first connection is opened: connections only deliver events into a registered event loop.</summary>
    internal static void EnsureStarted()
    {
        lock (Gate)
        {
            if (_started)
                return;
            Check.Result(LibraryCalls.Initialize(), "virInitialize");
            // Every failure reaches our caller as an exception; the default handler would also print it.
            LibraryCalls.SetErrorFunction(0, &Discard);
            Check.Result(LibraryCalls.EventRegisterDefaultImplementation(), "virEventRegisterDefaultImpl");
            new Thread(RunEvents) { Name = "libvirt events", IsBackground = true }.Start();
            _started = true;
        }
    }

    // Runs for the life of the process: libvirt has no way to unregister its event loop.
    private static void RunEvents()
    {
        while (true)
        {
            if (LibraryCalls.EventRunDefaultImplementation() < 0)
                LibraryCalls.ResetLastError();
        }
    }

    [UnmanagedCallersOnly]
    private static void Discard(nint userData, nint error)
    {
    }
}
