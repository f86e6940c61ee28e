using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;
using Qubes.Protocol.Text;

namespace Qubes.Extensions.Block;

/// <summary>How a block device shall be attached.</summary>
/// <param name="FrontendDevice">The name clients know it by in the qube, <c>xvdi</c>; null lets one be chosen.</param>
/// <param name="IsReadOnly">Null: as the device itself.</param>
/// <param name="IsCdrom">As a drive with a disc in it.</param>
internal sealed record BlockOptions(string? FrontendDevice, bool? IsReadOnly, bool IsCdrom)
{
    private const int LongestLetters = 2;

    /// <exception cref="QubesException"><c>QubesValueError</c>: an option is unknown or has no sense.</exception>
    public static BlockOptions Parse(IEnumerable<KeyValuePair<string, string>> untrustedOptions)
    {
        BlockOptions options = new(null, null, false);
        foreach ((string name, string value) in untrustedOptions)
        {
            options = name switch
            {
                "frontend-dev" => options with { FrontendDevice = IsFrontendDevice(value) ? value : throw InvalidFrontend(value) },
                "read-only" => options with { IsReadOnly = PropertyPayload.TryBool(value) ?? throw InvalidBoolean(value) },
                "devtype" => value is "disk" or "cdrom"
                    ? options with { IsCdrom = value == "cdrom" }
                    : throw QubesErrors.Value("devtype option can only have 'disk' or 'cdrom' value"),
                _ => throw QubesErrors.Value($"Unsupported option {name}"),
            };
        }

        return options;
    }

    /// <summary>Whether a name is one a block device can have in a qube: <c>xvd</c> or <c>sd</c> and letters.</summary>
    public static bool IsFrontendDevice(string untrustedName) =>
        Letters(untrustedName) is { Length: > 0 and <= LongestLetters } letters && letters.All(char.IsAsciiLetterLower);

    /// <summary>The letters of such a name.</summary>
    public static string? Letters(string name) => name.StartsWith("xvd", StringComparison.Ordinal) ? name[3..]
        : name.StartsWith("sd", StringComparison.Ordinal) ? name[2..]
        : null;

    private static QubesException InvalidFrontend(string value) => QubesErrors.Value($"Invalid frontend-dev option value: {value}");

    private static QubesException InvalidBoolean(string value) =>
        QubesErrors.Value($"Invalid literal for boolean value: {PythonText.Repr(value)}");
}
