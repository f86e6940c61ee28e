using System.Text;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Policy.Loading;
using Qubes.Policy.Syntax;
using Qubes.Policy.Text;

namespace Qubes.Policy.Administration;

/// <summary>
/// The services <c>policy.*</c> of Qubes OS: they read and change the files of <c>/etc/qubes/policy.d</c> and its <c>include</c>. A change is made
/// only if it brings no error into the policy, and one after the other: all hold the lock on the directory that Qubes OS's own programs hold.
/// </summary>
/// <remarks>
/// Payload and answer: <c>Get</c> answers <c>TOKEN LF CONTENT</c>, <c>Replace</c> takes the same, <c>Remove</c> takes <c>TOKEN</c>; the lists
/// answer a name a line. Source: core-qrexec, <c>qrexec/policy/admin.py</c>.
/// </remarks>
public sealed class PolicyAdministrator
{
    private const string Prefix = "policy.";
    private const string IncludePrefix = "include.";
    private const string RegisteredFile = "60-registered-arguments";

    // What a qube sends with a call.
    private const int MaxRegisteredArgument = 64;

    private readonly string _lockDirectory;
    private readonly DirectoryPolicySource _source;
    private readonly PolicyFolder _files;
    private readonly PolicyFolder _includes;

    public PolicyAdministrator(QubesPaths paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        _lockDirectory = paths.PolicyDirectory;

        // Not the runtime directory: a file there would hide the one to be checked.
        _source = new DirectoryPolicySource(paths) { Directories = [new PolicyDirectory(paths.PolicyDirectory, Required: true)] };
        string directory = _source.Resolve(paths.PolicyDirectory);
        _files = new PolicyFolder(directory, PolicyFileNames.Suffix);
        _includes = new PolicyFolder(Path.Join(directory, "include"), "");
    }

    /// <summary>The names of the services.</summary>
    public static IReadOnlyList<string> Services { get; } =
    [
        "policy.Get", "policy.GetFiles", "policy.List", "policy.Remove", "policy.Replace",
        "policy.include.Get", "policy.include.List", "policy.include.Remove", "policy.include.Replace",
    ];

    /// <summary>The longest payload there can be: a token and the longest file.</summary>
    public static int MaxPayload => PolicyLimits.Default.FileBytes + 128;

    /// <summary>Does one call; what it gives is the answer. Waits for other changes, and blocks on the disk.</summary>
    /// <exception cref="PolicyAdministrationException">It is refused; nothing has changed.</exception>
    public byte[] Call(string service, string untrustedArgument, byte[] untrustedPayload)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(untrustedArgument);
        ArgumentNullException.ThrowIfNull(untrustedPayload);
        if (untrustedArgument.AsSpan().ContainsAnyExcept(NameCharacters.Argument))
        {
            throw PolicyAdministrationException.Protocol(
                $"Invalid argument: \"{untrustedArgument}\"\nValid characters are letters, numbers, dot, plus, hyphen and underline");
        }

        if (!Services.Contains(service))
        {
            throw PolicyAdministrationException.Protocol($"unrecognized method: {service}");
        }

        string method = service[Prefix.Length..];
        bool isInclude = method.StartsWith(IncludePrefix, StringComparison.Ordinal);
        method = isInclude ? method[IncludePrefix.Length..] : method;
        if (method == "List" && untrustedArgument.Length > 0)
        {
            throw PolicyAdministrationException.Protocol("Unexpected argument");
        }

        if (method is not ("Replace" or "Remove") && untrustedPayload.Length > 0)
        {
            throw PolicyAdministrationException.Protocol("Unexpected payload");
        }

        using SafeFileHandle held = DirectoryLock.Take(_lockDirectory);
        PolicyFolder folder = isInclude ? _includes : _files;
        return method switch
        {
            "List" => Lines(folder.List(_source)),
            "Get" => Get(folder.Locate(_source, untrustedArgument)),
            "Replace" => Replace(folder.Locate(_source, untrustedArgument), untrustedPayload),
            "Remove" => Remove(folder.Locate(_source, untrustedArgument), untrustedPayload),
            _ => Lines(FilesAbout(untrustedArgument)),
        };
    }

    /// <summary>
    /// Allows one qube to call a service of another with one argument, which the other has just handed to it: adds the rule
    /// <c>SERVICE +ARGUMENT FRONTEND BACKEND allow</c> to <c>60-registered-arguments.policy</c>, unless there is a rule about that argument.
    /// </summary>
    /// <param name="backend">The qube that serves, and registers.</param>
    /// <param name="frontend">The qube that will call.</param>
    /// <exception cref="PolicyAdministrationException">It is refused; nothing has changed.</exception>
    public void Register(string backend, string frontend, string untrustedService, ReadOnlySpan<byte> untrustedArgument)
    {
        string argument = Encoding.Latin1.GetString(untrustedArgument);
        if (argument.Length is 0 or > MaxRegisteredArgument || argument.AsSpan().ContainsAnyExcept(NameCharacters.Service))
        {
            throw PolicyAdministrationException.Protocol($"The argument must have 1 to {MaxRegisteredArgument} letters, numbers, dots, hyphens or underlines");
        }

        // They become fields of a rule.
        foreach (string field in (string[])[untrustedService, backend, frontend])
        {
            if (field.Length == 0 || field.AsSpan().ContainsAnyExcept(NameCharacters.Service))
            {
                throw PolicyAdministrationException.Protocol($"No service and no qube can be called {PythonText.Quote(field)}");
            }
        }

        using SafeFileHandle held = DirectoryLock.Take(_lockDirectory);
        LoadedPolicy policy = PolicyLoader.Load(_source);
        if (!policy.IsValid)
        {
            throw PolicyAdministrationException.Syntax(policy.ErrorSummary);
        }

        if (policy.Rules.Rules.Any(rule => rule.Service == untrustedService && rule.Argument == "+" + argument))
        {
            throw PolicyAdministrationException.Protocol("There is a rule about this argument");
        }

        string path = _files.Locate(_source, RegisteredFile);
        string before = Encoding.UTF8.GetString(PolicyFolder.Find(_source, path) ?? []);
        string separator = before.Length == 0 || before.EndsWith('\n') ? "" : "\n";
        byte[] content = Encoding.UTF8.GetBytes($"{before}{separator}{untrustedService} +{argument} {frontend} {backend} allow\n");
        Check(path, content);
        PolicyFolder.Write(path, content);
    }

    private byte[] Get(string path)
    {
        byte[] content = PolicyFolder.Find(_source, path) ?? throw PolicyAdministrationException.NotFound(path);
        return [.. Encoding.ASCII.GetBytes(FileToken.Of(content)), (byte)'\n', .. content];
    }

    private byte[] Replace(string path, byte[] untrustedPayload)
    {
        int lineEnd = untrustedPayload.AsSpan().IndexOf((byte)'\n');
        if (lineEnd < 0)
        {
            throw PolicyAdministrationException.Protocol("Payload needs to include first line with token");
        }

        FileToken.Check(untrustedPayload.AsSpan(0, lineEnd), PolicyFolder.Find(_source, path));
        byte[] untrustedContent = untrustedPayload[(lineEnd + 1)..];
        if (untrustedContent.Length > PolicyLimits.Default.FileBytes || !Utf8.IsValid(untrustedContent))
        {
            throw PolicyAdministrationException.Protocol($"Content must be UTF-8 text of at most {PolicyLimits.Default.FileBytes} bytes");
        }

        Check(path, untrustedContent);
        PolicyFolder.Write(path, untrustedContent);
        return [];
    }

    private byte[] Remove(string path, byte[] untrustedToken)
    {
        byte[]? content = PolicyFolder.Find(_source, path);
        FileToken.Check(untrustedToken, content);
        if (content is null)
        {
            throw PolicyAdministrationException.NotFound(path);
        }

        Check(path, null);
        PolicyFolder.Remove(path);
        return [];
    }

    /// <summary>
    /// Refuses a change that leaves an error in the file, or brings one into another. Errors that are elsewhere already are no reason: else a
    /// policy with two of them could not be mended.
    /// </summary>
    private void Check(string path, byte[]? content)
    {
        LoadedPolicy changed = PolicyLoader.Load(new ChangedPolicySource(_source, path, content));
        if (changed.IsValid)
        {
            return;
        }

        HashSet<PolicyDiagnostic> before = [.. PolicyLoader.Load(_source).Errors];
        PolicyDiagnostic? added = changed.Errors.FirstOrDefault(error => !before.Contains(error) || _source.Resolve(error.Place.File) == path);
        if (added is not null)
        {
            throw PolicyAdministrationException.Syntax($"Policy change validation failed: {added}");
        }
    }

    /// <summary>The files with rules that may decide calls of a service, in the order in which they are asked.</summary>
    private IEnumerable<string> FilesAbout(string untrustedService)
    {
        if (untrustedService.Length == 0)
        {
            throw PolicyAdministrationException.Protocol("Service cannot be empty.");
        }

        if (NameCharacters.Invalid(untrustedService, NameCharacters.Service) is { Count: > 0 } invalid)
        {
            throw PolicyAdministrationException.Protocol(
                $"Service {PythonText.Quote(untrustedService)} contains invalid characters: {PythonText.QuoteTuple(invalid)}");
        }

        LoadedPolicy policy = PolicyLoader.Load(_source);
        return policy.IsValid
            ? policy.Rules.Rules.Where(rule => rule.Service is null || rule.Service == untrustedService).Select(rule => ShortName(rule.Place.File)).Distinct()
            : throw PolicyAdministrationException.Syntax(policy.ErrorSummary);
    }

    private string ShortName(string file)
    {
        string resolved = _source.Resolve(file);
        return resolved.StartsWith(_files.Path + "/", StringComparison.Ordinal) ? Path.GetFileNameWithoutExtension(resolved) : file;
    }

    private static byte[] Lines(IEnumerable<string> names) => Encoding.UTF8.GetBytes(string.Concat(names.Select(name => name + "\n")));
}
