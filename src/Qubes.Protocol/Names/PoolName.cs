using System.Diagnostics.CodeAnalysis;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Names;

/// <summary>A valid storage pool name: one or more of <c>[A-Za-z0-9_.-]</c>.</summary>
public readonly record struct PoolName
{
    private readonly string? _value;

    private PoolName(string value) => _value = value;

    public string Value => _value ?? "";

    public static PoolName Parse(string untrustedName) => TryParse(untrustedName, out PoolName name)
        ? name
        : throw QubesErrors.Protocol(string.IsNullOrEmpty(untrustedName)
            ? "Pool name must be set"
            : $"Pool name must be in safe set: {NameCharacters.Safe}");

    public static bool TryParse([NotNullWhen(true)] string? untrustedName, out PoolName name)
    {
        bool valid = !string.IsNullOrEmpty(untrustedName)
            && !untrustedName.AsSpan().ContainsAnyExcept(NameCharacters.LettersDigitsDashUnderscoreDot);
        name = valid ? new PoolName(untrustedName!) : default;
        return valid;
    }

    public static implicit operator string(PoolName name) => name.Value;

    public override string ToString() => Value;
}
