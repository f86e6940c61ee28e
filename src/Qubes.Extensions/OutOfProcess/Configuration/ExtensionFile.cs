using System.Buffers;
using System.Globalization;
using System.Text;
using Qubes.Model.Events;

namespace Qubes.Extensions.OutOfProcess.Configuration;

/// <summary>The format of the files in <c>extensions.d</c>, see docs/extensions.md.</summary>
public static class ExtensionFile
{
    /// <summary>What the names of these files end in.</summary>
    public const string Suffix = ".conf";

    public const int MaxBytes = 64 * 1024;

    private const int MaxNameLength = 31;
    private const int MaxArguments = 64;
    private const int MaxRequired = 64;
    private const int MaxValueLength = 4096;
    private const int MinDeadline = 10;
    private const int MaxDeadline = 30_000;
    private const int MinStorageDeadline = 1000;
    private const int MaxStorageDeadline = 3_600_000;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>A name: a letter, then letters, digits and hyphens, all small.</summary>
    public static bool IsName(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxNameLength && char.IsAsciiLetterLower(text[0])
        && !text.ContainsAnyExcept(NameCharacters);

    // Lines KEY = VALUE; blank lines and lines that begin with '#'. Spaces around key and value do not count.

    /// <exception cref="ExtensionFormatException">The text does not keep to the format.</exception>
    public static ExtensionDefinition Parse(string name, ReadOnlySpan<byte> untrustedContent)
    {
        if (!IsName(name))
        {
            throw new ExtensionFormatException("the name must be small letters, digits and hyphens, 31 at most, a letter first");
        }

        if (untrustedContent.Length > MaxBytes)
        {
            throw new ExtensionFormatException($"longer than {MaxBytes} bytes");
        }

        string text;
        try
        {
            text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(untrustedContent);
        }
        catch (DecoderFallbackException)
        {
            throw new ExtensionFormatException("not UTF-8");
        }

        Reading reading = new();
        int number = 0;
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            number++;
            try
            {
                reading.Take(line.Trim());
            }
            catch (ExtensionFormatException e)
            {
                throw new ExtensionFormatException($"line {number}: {e.Message}");
            }
        }

        return reading.Finish(name);
    }

    private sealed class Reading
    {
        private readonly List<string> _arguments = [];
        private readonly List<EventPattern> _required = [];
        private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
        private string? _program;
        private string? _classes;
        private TimeSpan? _deadline;
        private TimeSpan? _storageDeadline;
        private bool _enabled = true;

        public void Take(ReadOnlySpan<char> line)
        {
            if (line.IsEmpty || line[0] == '#')
            {
                return;
            }

            int equals = line.IndexOf('=');
            if (equals < 0)
            {
                throw new ExtensionFormatException("expected KEY = VALUE");
            }

            string key = line[..equals].TrimEnd().ToString();
            string value = line[(equals + 1)..].TrimStart().ToString();
            if (value.Length > MaxValueLength || value.AsSpan().ContainsAnyInRange('\0', '\x1f'))
            {
                throw new ExtensionFormatException("the value is too long or has a control character");
            }

            Take(key, value);
        }

        public ExtensionDefinition Finish(string name)
        {
            ExtensionDefinition definition = new()
            {
                Name = name,
                Program = _program ?? throw new ExtensionFormatException("no program"),
                Arguments = _arguments,
                Required = _required,
                ClassFile = _classes,
                IsEnabled = _enabled,
            };
            return definition with { Deadline = _deadline ?? definition.Deadline, StorageDeadline = _storageDeadline ?? definition.StorageDeadline };
        }

        private void Take(string key, string value)
        {
            switch (key)
            {
                case "program":
                    Once(key);
                    _program = Absolute(key, value);
                    break;
                case "qube-classes":
                    Once(key);
                    _classes = Absolute(key, value);
                    break;
                case "argument":
                    Add(_arguments, value, MaxArguments);
                    break;
                case "required":
                    Add(_required, CallableEvents.Check(value) is { } reason
                        ? throw new ExtensionFormatException(reason) : new EventPattern(value), MaxRequired);
                    break;
                case "deadline":
                    Once(key);
                    _deadline = Milliseconds(key, value, MinDeadline, MaxDeadline);
                    break;
                case "storage_deadline":
                    Once(key);
                    _storageDeadline = Milliseconds(key, value, MinStorageDeadline, MaxStorageDeadline);
                    break;
                case "enabled":
                    Once(key);
                    _enabled = value switch
                    {
                        "yes" => true,
                        "no" => false,
                        _ => throw new ExtensionFormatException("enabled must be yes or no"),
                    };
                    break;
                default:
                    throw new ExtensionFormatException("unknown key");
            }
        }

        private static TimeSpan Milliseconds(string key, string value, int min, int max) =>
            int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int milliseconds) && milliseconds >= min && milliseconds <= max
                ? TimeSpan.FromMilliseconds(milliseconds)
                : throw new ExtensionFormatException($"{key} must be {min} to {max} milliseconds");

        private static string Absolute(string key, string value) =>
            Path.IsPathFullyQualified(value) ? value : throw new ExtensionFormatException($"{key} must be an absolute path");

        private void Once(string key)
        {
            if (!_seen.Add(key))
            {
                throw new ExtensionFormatException($"{key} is given twice");
            }
        }

        private static void Add<T>(List<T> list, T item, int most)
        {
            if (list.Count == most)
            {
                throw new ExtensionFormatException($"more than {most} of them");
            }

            list.Add(item);
        }
    }
}
