using System.Text;
using Qubes.Admin.Backups;
using Qubes.Protocol.Errors;

namespace Qubes.Fuzz.Targets;

/// <summary>Backup profiles: whatever stands in the file is either refused with an error callers know, or is a complete profile.</summary>
internal sealed class BackupProfileTarget : IFuzzTarget
{
    public string Name => "backup-profile";

    public IEnumerable<byte[]> Seeds =>
    [
        "compression: true\ndestination_path: /tmp\ndestination_vm: dom0\ninclude:\n- work\n- '@tag:x'\n"u8.ToArray(),
        "{include: null, exclude: [a, \"b\\n\"], destination_vm: 'sys''usb', destination_path: |\n  x\n  y\n}\n"u8.ToArray(),
        "--- # comment\ninclude: ~\ndestination_vm: &a b\ndestination_path: *a\npassphrase_text: !!str 5\n...\n---\n"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            BackupProfile profile = BackupProfileReader.Read(Encoding.UTF8.GetString(input));
            if (profile.Exclude is null || profile.DestinationVm is null || profile.DestinationPath is null)
            {
                throw new InvalidOperationException("A profile without what it must have");
            }
        }
        catch (QubesException e) when (e.WireName == QubesErrorNames.QubesException && e.Message.StartsWith("Invalid backup profile - ", StringComparison.Ordinal))
        {
            // Refused, with the reason.
        }
    }
}
