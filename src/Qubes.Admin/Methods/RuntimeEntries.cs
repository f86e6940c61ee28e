using System.Text;
using Microsoft.Extensions.Logging;
using Qubes.Linux;

namespace Qubes.Admin.Methods;

/// <summary>
/// Lets qubes make calls that are not in the method table for good: links to the socket in <c>run/qubes-rpc</c>, and the lines of the default
/// policy in a file of <c>run/qubes/policy.d</c>. Blocks on the file system.
/// </summary>
/// <param name="paths">Where the system is.</param>
/// <param name="policyFile">The file's name; it is for after the file with the lines of the other calls, and before that which denies the rest.</param>
/// <param name="header">Its first line, after <c>##</c>.</param>
/// <param name="prefixes">How the names of the calls begin.</param>
internal sealed class RuntimeEntries(QubesPaths paths, string policyFile, string header, IReadOnlyList<string> prefixes, ILogger log)
{
    private const UnixFileMode FileMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead;

    /// <summary>Brings the files in line: there are entries for these calls and, of these prefixes, no others.</summary>
    public void Write(IReadOnlyList<AdminMethod> methods)
    {
        Directory.CreateDirectory(paths.RuntimeRpcDirectory);
        Directory.CreateDirectory(paths.RuntimePolicyDirectory);

        // A link without a rule is a refused call, a rule without a link a broken one: the rule comes last and goes first.
        string target = Path.GetRelativePath(paths.RuntimeRpcDirectory, paths.AdminSocket);
        HashSet<string> wanted = [.. methods.Select(m => m.Name)];
        string[] present =
        [
            .. prefixes.SelectMany(prefix => Directory.EnumerateFileSystemEntries(paths.RuntimeRpcDirectory, prefix + "*")).Select(p => Path.GetFileName(p)),
        ];
        foreach (string name in wanted.Except(present))
        {
            File.CreateSymbolicLink(Path.Combine(paths.RuntimeRpcDirectory, name), target);
        }

        string policy = Path.Combine(paths.RuntimePolicyDirectory, policyFile);
        if (methods.Count > 0)
        {
            AtomicFile.Write(policy, Encoding.ASCII.GetBytes(Policy(methods)), FileMode);
        }
        else
        {
            File.Delete(policy);
        }

        // What is no link of ours is somebody's own service, and theirs to remove.
        foreach (FileInfo link in present.Except(wanted).Select(name => new FileInfo(Path.Combine(paths.RuntimeRpcDirectory, name))))
        {
            if (link.LinkTarget == target)
            {
                link.Delete();
            }
        }
    }

    private string Policy(IReadOnlyList<AdminMethod> methods)
    {
        StringBuilder text = new("## " + header + "\n");
        foreach (AdminMethod method in methods)
        {
            // A file that is missing would make the whole policy invalid. Paths are those of the root; relative ones would mean this directory.
            if (File.Exists(Path.Combine(paths.PolicyDirectory, method.PolicyInclude)))
            {
                text.Append("!include-service ").Append(method.Name).Append(" * /etc/qubes/policy.d/").Append(method.PolicyInclude).Append('\n');
            }
            else
            {
                log.LogWarning("{Method} has no default policy: {Include} is missing", method.Name, method.PolicyInclude);
            }
        }

        return text.ToString();
    }
}
