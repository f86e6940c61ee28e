using Qubes.Model.Changes;
using Qubes.Store.Files;

namespace Qubes.Fuzz.Targets;

/// <summary>Records of files that change with a commit: refused, or naming files of qubes only, and read the same again.</summary>
internal sealed class FileCommitTarget : IFuzzTarget
{
    public string Name => "file-commit";

    public IEnumerable<byte[]> Seeds =>
    [
        new FileCommitRecord(7, new ChangeOrigin("dom0", "admin.vm.notes.Set", DateTimeOffset.UnixEpoch), [new("appvms/work/notes.txt", "notes.txt.new-0a"), new("appvms/b/x", null)]).Write(),
        """{"version":1,"after":1,"when":"2026-01-01T00:00:00Z","who":"","call":"","files":[["a/../b","/x"]]}"""u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        FileCommitRecord record;
        try
        {
            record = FileCommitRecord.Parse(input.ToArray());
        }
        catch (FormatException)
        {
            return;
        }

        foreach ((string path, string? staged) in record.Files)
        {
            string whole = Path.GetFullPath(Path.Combine("/state", path));
            if (whole != "/state/" + path || (staged is not null && Path.GetFileName(staged) != staged))
            {
                throw new InvalidOperationException($"A file that belongs to no qube: {path}");
            }
        }

        FileCommitRecord again = FileCommitRecord.Parse(record.Write());
        if (again.After != record.After || again.Origin != record.Origin || !again.Files.SequenceEqual(record.Files))
        {
            throw new InvalidOperationException("not read as it was written");
        }
    }
}
