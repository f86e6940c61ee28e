using Qubes.Extensions.OutOfProcess.Configuration;

namespace Qubes.Fuzz.Targets;

/// <summary>Files of extensions.d: whatever is in them, they are understood or refused with a reason.</summary>
internal sealed class ExtensionFileTarget : IFuzzTarget
{
    public string Name => "extension-file";

    public IEnumerable<byte[]> Seeds =>
    [
        "# comment\nprogram = /usr/bin/x\nargument = a b\nrequired = domain-pre-start\ndeadline = 500\nenabled = yes\n"u8.ToArray(),
        "program=/x\r\nrequired=admin-permission:admin.vm.*\n"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            ExtensionDefinition definition = ExtensionFile.Parse("name", input);
            if (definition.Program[0] != '/' || definition.Deadline <= TimeSpan.Zero)
            {
                throw new InvalidOperationException("a definition that cannot be run was accepted");
            }
        }
        catch (ExtensionFormatException e) when (e.Message.Length > 0)
        {
            // Refused with a reason.
        }
    }
}
