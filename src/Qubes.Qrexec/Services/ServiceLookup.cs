using System.Text;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Services;

/// <summary>Finds the service and the configuration a call names.</summary>
/// <remarks>
/// The full name (<c>Service+argument</c>) is looked for in all directories, then the bare name in all directories.
/// Absence of a file, or of the end of a symbolic link, means "try the next"; any other trouble ends the search, because
/// going on would run a different service than the administrator put first.
/// </remarks>
public sealed class ServiceLookup(ServicePaths paths)
{
    private const int MaxNameBytes = 255;
    private const int MaxPathBytes = 1023;
    private const int MaxConfigurationBytes = 64 * 1024;

    /// <summary>Finds the service of <paramref name="call"/>.</summary>
    /// <exception cref="ServiceException">There is none (127), or what was found can not be used (125).</exception>
    public QrexecService FindService(QrexecServiceCall call)
    {
        (string path, FileStatus status, string? linkText) = FindFirst(paths.Services, call)
            ?? throw ServiceException.NotFound($"no service {LogText.Escape(call.ServiceName)}");
        if (linkText is not null && TcpServiceAddress.Matches(linkText))
        {
            return TcpServiceAddress.Parse(linkText, call.Argument);
        }

        if (status.IsSocket)
        {
            return new UnixSocketService(path);
        }

        return status.IsRegularFile && FileStatus.IsExecutable(path)
            ? new ExecutableService(path)
            : throw ServiceException.Problem($"{path} is neither a socket nor a program");
    }

    /// <summary>Reads the configuration of <paramref name="call"/>; the first file found is the only one used.</summary>
    /// <param name="warn">Told of unknown keys.</param>
    /// <exception cref="ServiceException">The search or the file is broken (125).</exception>
    public ServiceConfiguration LoadConfiguration(QrexecServiceCall call, Action<string>? warn = null)
    {
        if (FindFirst(paths.Configurations, call) is not { } found)
        {
            return ServiceConfiguration.Default;
        }

        if (!found.Status.IsRegularFile || found.Status.Size > MaxConfigurationBytes)
        {
            throw ServiceException.Problem($"{found.Path} is no service configuration");
        }

        try
        {
            return ServiceConfigurationParser.Parse(File.ReadAllBytes(found.Path), warn);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ServiceException.Problem($"{found.Path} can not be read", e);
        }
    }

    private static (string Path, FileStatus Status, string? LinkText)? FindFirst(IReadOnlyList<string> directories, QrexecServiceCall call)
    {
        foreach (string name in (ReadOnlySpan<string>)[ByteText.Decode(call.FullName), ByteText.Decode(call.ServiceName)])
        {
            // No file can have such a name. An argument may well be longer or have slashes (an URL): then the bare name decides.
            if (Encoding.UTF8.GetByteCount(name) > MaxNameBytes || name.Contains('/', StringComparison.Ordinal) || name is "." or "..")
            {
                continue;
            }

            foreach (string directory in directories)
            {
                if (Probe(Path.Combine(directory, name)) is { } found)
                {
                    return found;
                }
            }
        }

        return null;
    }

    private static (string Path, FileStatus Status, string? LinkText)? Probe(string path)
    {
        if (Encoding.UTF8.GetByteCount(path) > MaxPathBytes)
        {
            throw ServiceException.Problem("path of a service too long");
        }

        try
        {
            if (FileStatus.FindStrictly(path, followLink: false) is not { } own)
            {
                return null;
            }

            if (!own.IsSymbolicLink)
            {
                return (path, own, null);
            }

            string? text = new FileInfo(path).LinkTarget;
            if (text is not null && TcpServiceAddress.Matches(text))
            {
                return (path, own, text);
            }

            return FileStatus.FindStrictly(path, followLink: true) is { } target ? (path, target, text) : null;
        }
        catch (IOException e)
        {
            throw ServiceException.Problem($"{path} can not be examined", e);
        }
    }
}
