using System.Text;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Protocol.Properties;

namespace Qubes.Fuzz.Targets;

/// <summary>Payloads of property Set, names and label colours: each is taken or refused with an error of the API.</summary>
internal sealed class PropertyValueTarget : IFuzzTarget
{
    public string Name => "property-value";

    public IEnumerable<byte[]> Seeds =>
        ["True"u8.ToArray(), " 1_000 "u8.ToArray(), "10.137.0.5"u8.ToArray(), "fd09:24ef:4179::a89:7"u8.ToArray(), "work"u8.ToArray(),
            "12345678-1234-1234-1234-1234567890ab"u8.ToArray(), "0xcc0000"u8.ToArray(), "memory default=True type=int 400\\n"u8.ToArray()];

    public void Run(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        string text = Encoding.UTF8.GetString(bytes);
        Try(() => PropertyPayload.ToBool(PropertyPayload.ToAscii(bytes)));
        Try(() => PropertyPayload.ToInteger(PropertyPayload.ToAscii(bytes)));
        Try(() => PropertyPayload.ToIPv4(PropertyPayload.ToAscii(bytes)));
        Try(() => PropertyPayload.ToIPv6(PropertyPayload.ToAscii(bytes)));
        Try(() => PropertyPayload.ToUuid(PropertyPayload.ToAscii(bytes)));
        Try(() => PropertyPayload.ToText(bytes));
        Try(() => PropertyPayload.ToQubeName(bytes));
        Try(() => LabelColor.Parse(bytes));
        Try(() => LabelName.Parse(text, forCreation: true));
        Try(() => TagName.Parse(text));
        Try(() => QubeUuid.ParseWire(text));
        Try(() => FeatureName.ParseAssignment("gui", bytes));
        if (PropertyContent.TryParseLine(text, out string? name, out PropertyContent content)
            && (!PropertyContent.TryParseLine(content.FormatLine(name)[..^1], out string? again, out PropertyContent read)
                || again != name || read != content))
        {
            throw new InvalidOperationException("a line of GetAll does not survive formatting");
        }
    }

    private static void Try<T>(Func<T> parse)
    {
        try
        {
            parse();
        }
        catch (QubesException)
        {
            // A refusal.
        }
    }
}
