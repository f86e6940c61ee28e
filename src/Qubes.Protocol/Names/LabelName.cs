using System.Diagnostics.CodeAnalysis;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Names;

/// <summary>A valid label name: one or more of <c>[A-Za-z0-9_.-]</c>; one to be created is not all digits.</summary>
public readonly record struct LabelName
{
    private readonly string? _value;

    private LabelName(string value) => _value = value;

    public string Value => _value ?? "";

    /// <param name="untrustedName">The text from outside.</param>
    /// <param name="forCreation">Also refuse names that look like an index.</param>
    /// <exception cref="QubesException"><c>QubesInvalidLabelError</c>.</exception>
    public static LabelName Parse(string untrustedName, bool forCreation)
    {
        if (string.IsNullOrEmpty(untrustedName))
        {
            throw QubesErrors.InvalidLabel("Label name must be set");
        }

        if (!TryParse(untrustedName, out LabelName name))
        {
            throw QubesErrors.InvalidLabel($"Label must be in safe set: {NameCharacters.Safe}");
        }

        return forCreation && !untrustedName.AsSpan().ContainsAnyExceptInRange('0', '9')
            ? throw QubesErrors.InvalidLabel("Label must not be a digit")
            : name;
    }

    public static bool TryParse([NotNullWhen(true)] string? untrustedName, out LabelName name)
    {
        bool valid = !string.IsNullOrEmpty(untrustedName)
            && !untrustedName.AsSpan().ContainsAnyExcept(NameCharacters.LettersDigitsDashUnderscoreDot);
        name = valid ? new LabelName(untrustedName!) : default;
        return valid;
    }

    public static implicit operator string(LabelName name) => name.Value;

    public override string ToString() => Value;
}
