using System.Globalization;
using System.Text;
using Qubes.Policy.Rules;
using Qubes.Policy.Syntax;
using Qubes.Policy.Text;

namespace Qubes.Policy.Loading;

/// <summary>Reads and parses files, each once for each form: the shipped includes are included more than a hundred times.</summary>
internal sealed class PolicyFileReader(IPolicySource source, PolicyLimits limits, LoadReport report)
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Dictionary<(string, PolicyFormat), PolicyFileSyntax> _parsed = [];
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly List<string> _files = [];
    private long _totalBytes;

    /// <summary>The files read so far, in order of first use.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>The tree of a file. What cannot be read is reported once and then has no statements.</summary>
    public PolicyFileSyntax Read(string path, PolicyFormat format)
    {
        if (!_parsed.TryGetValue((path, format), out PolicyFileSyntax? syntax))
        {
            syntax = PolicyFileParser.Parse(path, Text(path), format);
            _parsed.Add((path, format), syntax);
            foreach (PolicyDiagnostic diagnostic in syntax.Diagnostics)
            {
                report.Error(diagnostic.Place, diagnostic.Message);
            }
        }

        return syntax;
    }

    private string Text(string path)
    {
        if (!_texts.TryGetValue(path, out string? text))
        {
            _files.Add(path);
            report.Depend(path);
            text = Decode(path, Bytes(path));
            _texts.Add(path, text);
        }

        return text;
    }

    private byte[] Bytes(string path)
    {
        try
        {
            if (source.Read(path, limits.FileBytes) is { } content)
            {
                _totalBytes += content.Length;
                return _totalBytes <= limits.TotalBytes
                    ? content
                    : throw new PolicyTooLargeException(
                        new PolicyPlace(path, null),
                        string.Create(CultureInfo.InvariantCulture, $"all files together are longer than {limits.TotalBytes} bytes"));
            }

            report.Error(
                new PolicyPlace(path, null),
                string.Create(CultureInfo.InvariantCulture, $"file is longer than {limits.FileBytes} bytes"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Unreadable(path, e);
        }

        return [];
    }

    private string Decode(string path, byte[] content)
    {
        try
        {
            return s_strictUtf8.GetString(content);
        }
        catch (DecoderFallbackException e)
        {
            int line = 1 + content.AsSpan(0, Math.Clamp(e.Index, 0, content.Length)).Count((byte)'\n');
            report.Error(
                new PolicyPlace(path, line), $"not UTF-8 text: byte {PythonText.Escape(Convert.ToHexString(e.BytesUnknown ?? []))}");
            return "";
        }
    }
}
