using System.Buffers;
using Qubes.Protocol.Audit;

namespace Qubes.Fuzz.Targets;

/// <summary>Files of the audit log: read and verified whatever is in them; a record that was taken apart has the form of one.</summary>
internal sealed class AuditTarget : IFuzzTarget
{
    private static readonly byte[] Log = Write();

    public string Name => "audit-log";

    public IEnumerable<byte[]> Seeds => [Log, Log[..^20], Log[..(Log.Length / 2)]];

    public void Run(ReadOnlySpan<byte> input)
    {
        byte[] content = input.ToArray();
        using MemoryStream lines = new(content);
        AuditLines.Read(lines, (line, _, _) =>
        {
            if (AuditRecord.TryParse(line, out AuditRecord? record) && (record.Sequence <= 0 || record.Hash.Length != 64))
            {
                throw new InvalidOperationException("what is no record was taken for one");
            }
        });
        AuditVerifier verifier = new();
        using MemoryStream file = new(content);
        verifier.Check(AuditFormat.FileName(1), file, isLast: true);
        verifier.Finish();
        // The piece of a line at the end may be anything: a crash may have left it.
        ReadOnlySpan<byte> whole = input[..(input.LastIndexOf((byte)'\n') + 1)];
        if (verifier.Problems.Count == 0 && !Log.AsSpan().StartsWith(whole))
        {
            throw new InvalidOperationException("a changed log was taken for whole");
        }
    }

    private static byte[] Write()
    {
        ArrayBufferWriter<byte> output = new();
        AuditEncoder encoder = new(AuditPosition.Beginning);
        DateTime time = DateTime.UnixEpoch;
        encoder.WriteOpen(time, output);
        encoder.WriteStart(time, isAfterCleanStop: true, output);
        encoder.Write(new AuditEntry
        {
            Time = time, Source = "work", Call = "admin.vm.List", Argument = "", Target = "dom0", Outcome = "ok", Policy = "x:1", UserId = 1,
        }, output);
        return output.WrittenSpan.ToArray();
    }
}
