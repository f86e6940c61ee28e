using Qubes.Extensions.OutOfProcess.Configuration;
using Qubes.Model.Classes;

namespace Qubes.Fuzz.Targets;

/// <summary>Files that bring classes of qubes: whatever is in them, they are understood or refused with a reason.</summary>
internal sealed class QubeClassFileTarget : IFuzzTarget
{
    public string Name => "qube-class-file";

    public IEnumerable<byte[]> Seeds =>
    [
        """
        {"classes": [{"name": "KioskVM", "base": "AppVM", "properties": [
          {"name": "a", "type": "str", "default": "x", "values": ["x", "y"], "help": "A."}, {"name": "b", "type": "int", "default": 1, "min": 0, "max": 9, "help": "B."},
          {"name": "c", "type": "bool", "default": false, "help": "C."}, {"name": "d", "type": "vm", "help": "D."}],
          "new": {"properties": {"memory": "300", "netvm": ""}, "features": {"f": "1"}, "tags": ["t"]}}]}
        """u8.ToArray(),
        """{"classes": [{"name": "K", "base": "DispVM"}, {"name": "L", "base": "TemplateVM"}]}"""u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            foreach (QubeClass parsed in QubeClassFile.Parse(input.ToArray()))
            {
                if (QubeClasses.TryFind(parsed.Name, out _) || parsed.Root == parsed)
                {
                    throw new InvalidOperationException("a class that is the daemon's was accepted");
                }
            }
        }
        catch (ExtensionFormatException e) when (e.Message.Length > 0)
        {
            // Refused with a reason.
        }
    }
}
