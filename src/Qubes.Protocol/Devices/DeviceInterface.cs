using System.Buffers;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;

namespace Qubes.Protocol.Devices;

/// <summary>
/// What a device can do, in seven characters: the letter of its class (<c>p</c>ci, <c>u</c>sb, <c>b</c>lock, <c>m</c>ic,
/// <c>?</c> unknown, <c>*</c> any), then class, subclass and protocol in two hex digits each; <c>*</c> is any digit.
/// </summary>
public readonly record struct DeviceInterface
{
    public const int Length = 7;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdefABCDEF*");

    private readonly string? _code;

    private DeviceInterface(string code) => _code = code;

    /// <summary>Nothing is known.</summary>
    public static DeviceInterface Unknown { get; } = new("?******");

    /// <summary>Any block device.</summary>
    public static DeviceInterface Block { get; } = new("b******");

    public string Code => _code ?? Unknown._code!;

    /// <summary>From a code of seven characters; those of none of the known forms are kept as they are.</summary>
    /// <exception cref="QubesException"><c>QubesValueError</c>: not seven characters.</exception>
    public static DeviceInterface FromCode(string code) =>
        code is { Length: Length } ? new(code) : throw InvalidLength(code ?? "");

    /// <summary>From up to six digits and the class they are of.</summary>
    /// <exception cref="ProtocolErrorException">Not hex digits.</exception>
    public static DeviceInterface Of(string deviceClass, string digits)
    {
        ArgumentException.ThrowIfNullOrEmpty(deviceClass);
        ArgumentNullException.ThrowIfNull(digits);
        return digits.Length < Length && !digits.AsSpan().ContainsAnyExcept(Digits)
            ? new(char.ToLowerInvariant(deviceClass[0]) + digits.PadRight(Length - 1, '*'))
            : throw QubesErrors.Protocol("Invalid characters in interface encoding");
    }

    /// <summary>Splits codes written one after the other.</summary>
    /// <exception cref="QubesException"><c>QubesValueError</c>: the length is not a multiple of seven.</exception>
    public static IReadOnlyList<DeviceInterface> ParseList(string untrustedCodes)
    {
        ArgumentNullException.ThrowIfNull(untrustedCodes);
        if (untrustedCodes.Length % Length != 0)
        {
            throw InvalidLength(untrustedCodes);
        }

        DeviceInterface[] list = new DeviceInterface[untrustedCodes.Length / Length];
        for (int i = 0; i < list.Length; i++)
        {
            list[i] = new(untrustedCodes.Substring(i * Length, Length));
        }

        return list;
    }

    /// <summary>Each character is equal to the pattern's, or the pattern has <c>*</c> there.</summary>
    public bool Matches(DeviceInterface pattern)
    {
        for (int i = 0; i < Length; i++)
        {
            if (pattern.Code[i] != '*' && pattern.Code[i] != Code[i])
            {
                return false;
            }
        }

        return true;
    }

    public bool Equals(DeviceInterface other) => Code == other.Code;

    public override int GetHashCode() => Code.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Code;

    private static QubesException InvalidLength(string codes) => QubesErrors.Value(
        $"Invalid length of interfaces={PythonText.Repr(codes)} (is {codes.Length}, expected multiple of {Length})");
}
