namespace Qubes.Qrexec.Services;

/// <summary>What a service name stands for, as found by <see cref="ServiceLookup"/>.</summary>
public abstract record QrexecService
{
    private protected QrexecService()
    {
    }
}

/// <summary>A program to be run; its path is absolute.</summary>
public sealed record ExecutableService(string Path) : QrexecService;

/// <summary>A UNIX socket somebody listens on.</summary>
public sealed record UnixSocketService(string Path) : QrexecService;

/// <summary>A TCP address; <paramref name="Host"/> is numeric.</summary>
public sealed record TcpService(System.Net.IPAddress Host, int Port) : QrexecService;
