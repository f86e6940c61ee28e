using System.Text;
using Microsoft.Extensions.Logging;
using Qubes.Admin.Methods.Families;
using Qubes.Linux;
using Qubes.Model;

namespace Qubes.Admin.Methods;

/// <summary>
/// Lets qubes call about device classes that extensions bring, as long as there is such a class: links to the socket in <c>run/qubes-rpc</c>,
/// and the lines of the default policy in a file of <c>run/qubes/policy.d</c>. Classes of the method table have theirs for good. Belongs to the
/// model loop; files are written off it, one state after the other.
/// </summary>
public sealed class DeviceClassEntries
{
    /// <summary>After the file with the lines of the other calls, before that which denies the rest.</summary>
    public const string PolicyFile = "90-admin-device-classes.policy";

    private const UnixFileMode FileMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead;

    private readonly QubesApp _app;
    private readonly QubesPaths _paths;
    private readonly ILogger _log;
    private Task _writing = Task.CompletedTask;
    private bool _isStale;

    /// <summary>Follows the classes from now on. What an earlier run left is cleared away with the first state.</summary>
    public DeviceClassEntries(QubesApp app, QubesPaths paths, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(app);
        _app = app;
        _paths = paths;
        _log = log;
        app.Devices.ClassesChanged += Update;
        Update();
    }

    /// <summary>Completes when the files are as the classes were at this moment. Does not throw: failures are logged.</summary>
    public async Task FlushAsync()
    {
        while (!_writing.IsCompleted)
        {
            await _writing;
        }
    }

    private void Update()
    {
        _isStale = true;
        if (_writing.IsCompleted)
        {
            _writing = WriteAsync();
        }
    }

    private async Task WriteAsync()
    {
        // Not within the change that made or ended the class.
        await Task.Yield();
        while (_isStale)
        {
            _isStale = false;
            AdminMethod[] methods =
            [
                .. _app.Devices.Classes.Where(c => !AdminMethods.Table.All.Any(m => m.Name == $"{DeviceMethods.Prefix}{c}.Available"))
                    .SelectMany(DeviceMethods.OfClass),
            ];
            try
            {
                await Task.Run(() => Write(methods));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or LinuxException)
            {
                _log.LogError("Qubes cannot call about device classes of extensions: {Reason}", LogText.Escape(e.Message));
            }
        }
    }

    private void Write(AdminMethod[] methods)
    {
        Directory.CreateDirectory(_paths.RuntimeRpcDirectory);
        Directory.CreateDirectory(_paths.RuntimePolicyDirectory);

        // A link without a rule is a refused call, a rule without a link a broken one: the rule comes last and goes first.
        string target = Path.GetRelativePath(_paths.RuntimeRpcDirectory, _paths.AdminSocket);
        HashSet<string> wanted = [.. methods.Select(m => m.Name)];
        string[] present = [.. Directory.EnumerateFileSystemEntries(_paths.RuntimeRpcDirectory, DeviceMethods.Prefix + "*").Select(p => Path.GetFileName(p))];
        foreach (string name in wanted.Except(present))
        {
            File.CreateSymbolicLink(Path.Combine(_paths.RuntimeRpcDirectory, name), target);
        }

        string policy = Path.Combine(_paths.RuntimePolicyDirectory, PolicyFile);
        if (methods.Length > 0)
        {
            AtomicFile.Write(policy, Encoding.ASCII.GetBytes(Policy(methods)), FileMode);
        }
        else
        {
            File.Delete(policy);
        }

        // What is no link of ours is somebody's own service, and theirs to remove.
        foreach (FileInfo link in present.Except(wanted).Select(name => new FileInfo(Path.Combine(_paths.RuntimeRpcDirectory, name))))
        {
            if (link.LinkTarget == target)
            {
                link.Delete();
            }
        }
    }

    private string Policy(AdminMethod[] methods)
    {
        StringBuilder text = new("## Made by qubesd for the device classes of its extensions; gone with them.\n");
        foreach (AdminMethod method in methods)
        {
            // A file that is missing would make the whole policy invalid. Paths are those of the root; relative ones would mean this directory.
            if (File.Exists(Path.Combine(_paths.PolicyDirectory, method.PolicyInclude)))
            {
                text.Append("!include-service ").Append(method.Name).Append(" * /etc/qubes/policy.d/").Append(method.PolicyInclude).Append('\n');
            }
            else
            {
                _log.LogWarning("{Method} has no default policy: {Include} is missing", method.Name, method.PolicyInclude);
            }
        }

        return text.ToString();
    }
}
