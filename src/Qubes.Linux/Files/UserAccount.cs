using System.Globalization;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// A local account: a line of <c>/etc/passwd</c> with the groups of <c>/etc/group</c>. The files are read directly, so that it works in systems without any name
/// service module.
/// </summary>
public sealed record UserAccount(string Name, uint UserId, uint GroupId, string Home, string Shell, IReadOnlyList<uint> Groups)
{
    /// <summary>In place of a number: as it is.</summary>
    internal const uint Unchanged = uint.MaxValue;

    private const string DefaultShell = "/bin/sh";

    /// <summary>Whether this process may become any user.</summary>
    public static bool IsRoot => ProcessCalls.GetEffectiveUserId() == 0;

    /// <summary>The number of the user this process acts as.</summary>
    public static uint CurrentUserId => ProcessCalls.GetEffectiveUserId();

    /// <summary>The account called <paramref name="name"/>, or null.</summary>
    public static UserAccount? Find(string name) => Find(fields => fields[0] == name);

    /// <summary>The account this process runs as, or null when the files do not know it.</summary>
    public static UserAccount? Current()
    {
        var id = ProcessCalls.GetEffectiveUserId().ToString(CultureInfo.InvariantCulture);
        return Find(fields => fields[2] == id);
    }

    /// <summary>
    /// Makes the whole process this user, for good: groups first, since only root may set them. Leads a new session afterwards if it can.
    /// </summary>
    /// <exception cref="LinuxException">Not permitted.</exception>
    public unsafe void Become()
    {
        uint[] groups = [GroupId, .. Groups];
        fixed (uint* first = groups)
        {
            if (UserCalls.SetGroups((nuint)groups.Length, first) != 0)
                throw LinuxException.FromLastError("setgroups", Name);
        }

        if (UserCalls.SetGroupIds(GroupId, GroupId, GroupId) != 0)
            throw LinuxException.FromLastError("setresgid", Name);
        if (UserCalls.SetUserIds(UserId, UserId, UserId) != 0)
            throw LinuxException.FromLastError("setresuid", Name);
        _ = UserCalls.SetSession();
    }

    /// <summary>What programs of this account expect in their environment.</summary>
    public IReadOnlyDictionary<string, string?> Variables => new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["HOME"] = Home, ["SHELL"] = Shell, ["USER"] = Name, ["LOGNAME"] = Name,
    };

    /// <summary>Whether this account may pass through <paramref name="directory"/> and all those above it, as their modes say.</summary>
    public bool CanEnter(string directory)
    {
        for (var current = Path.GetFullPath(directory); current is not null; current = Path.GetDirectoryName(current))
        {
            if (FileStatus.FindStrictly(current, followLink: true) is not { IsDirectory: true } status || !status.Permissions.HasFlag(SearchBit(status)))
                return false;
        }

        return true;
    }

    private UnixFileMode SearchBit(FileStatus status) =>
        status.UserId == UserId ? UnixFileMode.UserExecute
        : status.GroupId == GroupId || Groups.Contains(status.GroupId) ? UnixFileMode.GroupExecute
        : UnixFileMode.OtherExecute;

    // name:password:uid:gid:comment:home:shell
    private static UserAccount? Find(Func<string[], bool> isWanted)
    {
        foreach (var line in Lines("/etc/passwd"))
        {
            var fields = line.Split(':');
            if (fields.Length < 7 || !isWanted(fields)
                || !uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var user)
                || !uint.TryParse(fields[3], NumberStyles.None, CultureInfo.InvariantCulture, out var group))
                continue;
            return new(fields[0], user, group, fields[5], fields[6].Length > 0 ? fields[6] : DefaultShell, GroupsOf(fields[0]));
        }

        return null;
    }

    // name:password:gid:member,member
    private static List<uint> GroupsOf(string name)
    {
        List<uint> groups = [];
        foreach (var line in Lines("/etc/group"))
        {
            var fields = line.Split(':');
            if (fields.Length >= 4 && fields[3].Split(',').Contains(name, StringComparer.Ordinal)
                && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var group))
                groups.Add(group);
        }

        return groups;
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (IOException)
        {
            return [];
        }
    }
}
