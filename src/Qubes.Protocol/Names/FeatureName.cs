using System.Diagnostics.CodeAnalysis;
using System.Text;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Names;

/// <summary>A valid feature name: one or more of <c>[a-zA-Z0-9_.-]</c>. Checked when a feature is set through the API.</summary>
public readonly record struct FeatureName
{
    private readonly string? _value;

    private FeatureName(string value) => _value = value;

    public string Value => _value ?? "";

    public static FeatureName Parse(string untrustedName) => TryParse(untrustedName, out FeatureName name)
        ? name
        : throw QubesErrors.Protocol("feature name contains illegal characters");

    public static bool TryParse([NotNullWhen(true)] string? untrustedName, out FeatureName name)
    {
        bool valid = !string.IsNullOrEmpty(untrustedName)
            && !untrustedName.AsSpan().ContainsAnyExcept(NameCharacters.LettersDigitsDashUnderscoreDot);
        name = valid ? new FeatureName(untrustedName!) : default;
        return valid;
    }

    /// <summary>
    /// Validates the payload of a feature Set together with its name, in the order of the Admin API:
    /// ASCII, then the name, then printable bytes only.
    /// </summary>
    public static (FeatureName Name, string Value) ParseAssignment(string untrustedName, ReadOnlySpan<byte> untrustedValue)
    {
        if (!Ascii.IsValid(untrustedValue))
        {
            throw QubesErrors.Protocol("Feature value contains non-ASCII characters");
        }

        FeatureName name = Parse(untrustedName);
        return untrustedValue.ContainsAnyExceptInRange((byte)0x20, (byte)0x7e)
            ? throw QubesErrors.Protocol($"{untrustedName} value contains illegal characters")
            : (name, Encoding.ASCII.GetString(untrustedValue));
    }

    public static implicit operator string(FeatureName name) => name.Value;

    public override string ToString() => Value;
}
