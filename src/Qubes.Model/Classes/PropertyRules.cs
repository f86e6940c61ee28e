using System.Buffers;
using Qubes.Model.Host;
using Qubes.Model.Properties;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;

namespace Qubes.Model.Classes;

/// <summary>The validations that properties share. Each returns the value as it is to be kept, or refuses it.</summary>
internal static class PropertyRules
{
    private const string UserNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+,.";

    private static readonly SearchValues<char> UserName = SearchValues.Create(UserNameCharacters);
    private static readonly SearchValues<char> Variant =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    private static readonly SearchValues<char> Options =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:,-");

    private static readonly SearchValues<char> DeniedDigits = SearchValues.Create("0123456789abcdef*");

    public static int Positive(string property, int value) =>
        value > 0 ? value : throw QubesErrors.PropertyValue($"{property} must be positive");

    public static int NotNegative(string property, int value) =>
        value >= 0 ? value : throw QubesErrors.PropertyValue($"{property} must be positive or zero");

    /// <summary>None, or a qube with <c>template_for_dispvms</c>.</summary>
    public static Qube? DisposableTemplate(PropertyHolder holder, string property, Qube? value)
    {
        if (value is null or IDisposableTemplate { TemplateForDispVMs: true })
        {
            return value;
        }

        string whose = holder is Qube qube ? $"qube {PythonText.Repr(qube.Name)}" : "system";
        throw QubesErrors.PropertyValue(
            $"Cannot set invalid property to {whose}, {property} {PythonText.Repr(value.Name)} has template_for_dispvms set to False");
    }

    /// <summary>A qube from which disposables may be made.</summary>
    public static QubesVM? TemplateOfDisposable(QubesVM? value) => value is IDisposableTemplate { TemplateForDispVMs: true }
        ? value
        : throw QubesErrors.PropertyValue("template for disposable must have template_for_dispvms=True");

    /// <summary>LAYOUT+VARIANT+OPTIONS; the layout is not empty.</summary>
    public static string KeyboardLayout(string? value)
    {
        string[] parts = (value ?? "").Split('+');
        if (parts.Length != 3)
        {
            throw QubesErrors.PropertyValue("Invalid number of parts in keyboard layout: expected LAYOUT+VARIANT+OPTIONS");
        }

        if (parts[0].Length == 0 || !parts[0].All(char.IsAsciiLetter))
        {
            throw QubesErrors.PropertyValue($"Invalid keyboard layout provided: {PythonText.Repr(parts[0])}");
        }

        if (parts[1].AsSpan().ContainsAnyExcept(Variant))
        {
            throw QubesErrors.PropertyValue($"Invalid keyboard variant provided: {PythonText.Repr(parts[1])}");
        }

        return parts[2].AsSpan().ContainsAnyExcept(Options)
            ? throw QubesErrors.PropertyValue($"Invalid keyboard options provided: {PythonText.Repr(parts[2])}")
            : value!;
    }

    /// <summary>Entries of seven characters: one of <c>bump*</c>, then six hex digits or <c>*</c>. Kept sorted, each once.</summary>
    public static string DeniedInterfaces(string? value)
    {
        SortedSet<string> entries = new(StringComparer.Ordinal);
        foreach (DeviceInterface entry in DeviceInterface.ParseList(value ?? ""))
        {
            if (!"bump*".Contains(entry.Code[0]) || entry.Code.AsSpan(1).ContainsAnyExcept(DeniedDigits))
            {
                throw QubesErrors.PropertyValue($"Invalid interface encoding: {PythonText.Repr(entry.Code)}");
            }

            entries.Add(entry.Code);
        }

        return string.Concat(entries);
    }

    public static string DefaultUser(string? value) => (value ?? "").AsSpan().ContainsAnyExcept(UserName)
        ? throw QubesErrors.PropertyValue($"Username can contain only those characters: {UserNameCharacters}")
        : value ?? "";

    /// <summary>Syntax only; whether it is installed is checked where a person chooses it, not while loading.</summary>
    public static string KernelName(string? value) => value switch
    {
        null or "" => "",
        "." or ".." => throw QubesErrors.PropertyValue("Kernel name cannot be a relative path"),
        _ when value.Contains('/') => throw QubesErrors.PropertyValue("Kernel name cannot contain '/'"),
        _ => value,
    };

    public static void InstalledKernel(IHostFacts host, string? kernel)
    {
        if (string.IsNullOrEmpty(kernel))
        {
            return;
        }

        switch (host.FindKernel(KernelName(kernel)))
        {
            case KernelPresence.Missing:
                throw QubesErrors.PropertyValue($"Kernel {PythonText.Repr(kernel)} not installed");
            case KernelPresence.WithoutImage:
                throw QubesErrors.PropertyValue($"Kernel {PythonText.Repr(kernel)} not properly installed: missing 'vmlinuz' file");
            default:
                break;
        }
    }
}
