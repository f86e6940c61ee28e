using System.Globalization;

namespace Qubes.Linux;

/// <summary>How a process ended.</summary>
/// <param name="Code">Exit status 0..255, or the signal number.</param>
/// <param name="IsSignal">True when a signal ended it.</param>
public readonly record struct ProcessExit(int Code, bool IsSignal)
{
    public bool IsSuccess => Code == 0 && !IsSignal;

    /// <summary>As a shell reports it: the status, or 128 and the signal.</summary>
    public int ShellStatus => IsSignal ? 128 + Code : Code;

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(IsSignal ? "killed by signal" : "exit status")} {Code}");
}
