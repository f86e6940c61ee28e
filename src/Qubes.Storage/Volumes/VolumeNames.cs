using System.Buffers;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>Which names of volumes and ids become file names. Ids come from the store, which may have been edited.</summary>
public static class VolumeNames
{
    private const int MaxNameLength = 64;
    private const int MaxSegmentLength = 128;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    private static readonly SearchValues<char> SegmentCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+");

    // A volume called root-dirty would share its file with the working copy of root.
    private static readonly string[] ReservedSuffixes = ["-dirty", "-import", "-precache", "-cow", "-base", "-export"];

    /// <summary>A volume's name within its qube.</summary>
    public static bool IsName(string untrustedName) =>
        untrustedName.Length is > 0 and <= MaxNameLength
        && untrustedName[0] != '-'
        && !untrustedName.AsSpan().ContainsAnyExcept(NameCharacters)
        && !Array.Exists(ReservedSuffixes, suffix => untrustedName.EndsWith(suffix, StringComparison.Ordinal));

    /// <summary>A file driver's id: <c>PREFIX/QUBE/VOLUME</c> with <c>appvms</c> or <c>vm-templates</c> first.</summary>
    public static bool IsFileVid(string untrustedVid)
    {
        string[] segments = untrustedVid.Split('/', 4);
        return segments.Length == 3
            && segments[0] is "appvms" or "vm-templates"
            && IsSegment(segments[1])
            && IsName(segments[2]);
    }

    /// <summary>A single file name: no separator, not hidden, no option.</summary>
    public static bool IsSegment(string untrustedName) =>
        untrustedName.Length is > 0 and <= MaxSegmentLength
        && untrustedName[0] is not ('.' or '-')
        && !untrustedName.AsSpan().ContainsAnyExcept(SegmentCharacters);

    internal static string CheckedFileVid(string untrustedVid) =>
        IsFileVid(untrustedVid) ? untrustedVid : throw QubesErrors.StoragePool("Volume id is not valid");
}
