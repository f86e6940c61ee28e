using Qubes.Linux;
using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Services;

/// <summary>A program to run for a call: what to execute, without saying as whom or with which streams.</summary>
/// <param name="Path">Absolute path of the program.</param>
/// <param name="Arguments">Arguments after <c>argv[0]</c>: the call's argument if it is not empty.</param>
/// <param name="EnvironmentChanges">Changes to the inherited environment; null removes a variable.</param>
public sealed record ServiceProgram(
    string Path, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string?> EnvironmentChanges)
{
    /// <summary>The program of <paramref name="service"/>, set up for <paramref name="call"/>.</summary>
    /// <exception cref="ServiceException">The call is malformed or the path is not absolute (125).</exception>
    public static ServiceProgram For(ExecutableService service, QrexecServiceCall call)
    {
        if (!System.IO.Path.IsPathRooted(service.Path))
        {
            throw ServiceException.Problem($"{service.Path} is not an absolute path");
        }

        string[] arguments = call.Argument is { Length: > 0 } argument ? [ByteText.Decode(argument)] : [];
        return new ServiceProgram(service.Path, arguments, ServiceEnvironment.ChangesFor(call));
    }

    /// <summary>What a failed start means to the caller: 127 when the program, or its interpreter, is not there.</summary>
    public static ServiceException StartFailure(string path, LinuxException failure) =>
        failure.Errno == Errno.ENOENT
            ? ServiceException.NotFound($"{path} or its interpreter is missing", failure)
            : ServiceException.Problem($"{path} can not be started", failure);
}
