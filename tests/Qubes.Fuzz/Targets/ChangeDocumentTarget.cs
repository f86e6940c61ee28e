using Qubes.Admin.Planning;
using Qubes.Protocol.Errors;

namespace Qubes.Fuzz.Targets;

/// <summary>
/// Documents of changes: whatever comes in is either refused with an error callers know, or gives steps with a place each, none of which
/// appears twice.
/// </summary>
internal sealed class ChangeDocumentTarget : IFuzzTarget
{
    public string Name => "change-document";

    public IEnumerable<byte[]> Seeds =>
    [
        """{"revision":1,"system":{"properties":{"clockvm":null,"stats_interval":7}}}"""u8.ToArray(),
        """{"qubes":{"work":{"properties":{"memory":"500","debug":true},"features":{"a":"1","b":false,"c":null},"tags":{"t":true,"u":false}}}}"""u8.ToArray(),
        """{"qubes":{"new":{"create":{"class":"AppVM","template":"t","label":"red","pool":"p"}},"old":{"remove":true}}}"""u8.ToArray(),
        """{"system":{"labels":{"teal":"0x008080","old":null}},"qubes":{"work":{"devices":{"pci":{"dom0:00_1f.2":{"mode":"required","options":{"o":true}},"dom0:x:id":null}}}}}"""u8.ToArray(),
        """{"qubes":{"work":{"firewall":["action=drop","action=accept dst4=10.0.0.1"],"notes":"a\nb"},"other":{"firewall":null,"notes":null}}}"""u8.ToArray(),
        """{"qubes":{"a~/\"\u0041":{"tags":{"\u00e4":true}}}}"""u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        ChangeDocument document;
        try
        {
            document = ChangeDocument.Parse(input.ToArray());
        }
        catch (QubesException e) when (e.WireName == QubesErrorNames.ProtocolError && e.Message.Length > 0)
        {
            return;
        }

        HashSet<string> places = new(StringComparer.Ordinal);
        foreach (ChangeStep step in document.Steps)
        {
            if (!step.Place.StartsWith('/') || !places.Add(step.Place))
            {
                throw new InvalidOperationException($"Not the place of one step: {step.Place}");
            }
        }
    }
}
