namespace Qubes.Qrexec.CommandLine;

/// <summary>One option of a program.</summary>
/// <param name="Name">What the program knows it by: the long name, or the letter of an option that has none.</param>
/// <param name="Letter">Its one-letter form, if it has one.</param>
/// <param name="HasValue">Whether a value follows.</param>
public sealed record OptionSpec(string Name, char? Letter = null, bool HasValue = false);
