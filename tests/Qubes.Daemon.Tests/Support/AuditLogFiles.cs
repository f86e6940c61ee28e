using System.Text;
using Qubes.Linux;
using Qubes.Protocol.Audit;

namespace Qubes.Daemon.Tests;

/// <summary>The log of calls as a daemon left it.</summary>
internal static class AuditLogFiles
{
    /// <summary>All records, oldest first.</summary>
    public static AuditRecord[] Records(QubesPaths paths) =>
        [.. AuditFormat.Files(paths.AuditDirectory).SelectMany(File.ReadAllLines).Select(line =>
        {
            Assert.True(AuditRecord.TryParse(Encoding.ASCII.GetBytes(line), out AuditRecord? record));
            return record;
        })];

    /// <summary>As <c>qubes-audit verify</c> does.</summary>
    public static AuditVerifier Verify(QubesPaths paths)
    {
        AuditVerifier verifier = new();
        IReadOnlyList<string> files = AuditFormat.Files(paths.AuditDirectory);
        foreach (string file in files)
        {
            using FileStream stream = File.OpenRead(file);
            verifier.Check(Path.GetFileName(file), stream, file == files[^1]);
        }

        verifier.Finish();
        return verifier;
    }
}
