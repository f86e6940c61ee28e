using System.Globalization;
using Qubes.Protocol.Errors;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Qubes.Admin.Backups;

/// <summary>
/// Reads a profile: a YAML mapping of words to a text, or to a list of texts. Written by people and by the tools of Qubes OS. Unknown words are left
/// alone, but an anchor, a tag or anything nested is an error: none of it means anything here.
/// </summary>
internal static class BackupProfileReader
{
    /// <summary>Far more than any list of qubes takes.</summary>
    public const int MaxLength = 64 * 1024;

    private const string DefaultFilter = "gzip";

    // The words of YAML 1.1, by which the tools that write profiles go.
    private static readonly string[] Nulls = ["", "~", "null", "Null", "NULL"];
    private static readonly string[] Trues = ["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"];
    private static readonly string[] Falses = ["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"];

    /// <exception cref="QubesException">What is wrong, with the line where it helps.</exception>
    public static BackupProfile Read(string untrustedText)
    {
        Dictionary<string, IReadOnlyList<Scalar>> lists = new(StringComparer.Ordinal);
        Dictionary<string, Scalar> texts = new(StringComparer.Ordinal);
        try
        {
            Parser parser = new(new Scanner(new StringReader(untrustedText), skipComments: true));
            ReadDocument(parser, texts, lists);
        }
        catch (YamlException e)
        {
            throw Wrong(string.Create(CultureInfo.InvariantCulture, $"line {e.Start.Line}: {e.Message}"));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // The library's scanner fails so on some texts that are no YAML.
            throw Wrong("it is no YAML");
        }

        string destination = Required(texts, "destination_vm");
        string path = Required(texts, "destination_path");
        if (!lists.ContainsKey("include") && !texts.ContainsKey("include"))
        {
            throw Missing("include");
        }

        return new BackupProfile
        {
            DestinationVm = destination,
            DestinationPath = path,
            Include = Words(texts, lists, "include"),
            Exclude = Words(texts, lists, "exclude") ?? [],
            CompressionFilter = Filter(texts, lists),
            PassphraseText = texts.TryGetValue("passphrase_text", out Scalar? passphrase) ? passphrase.Value : null,
            PassphraseVm = texts.TryGetValue("passphrase_vm", out Scalar? qube) ? qube.Value : null,
        };
    }

    private static void ReadDocument(Parser parser, Dictionary<string, Scalar> texts, Dictionary<string, IReadOnlyList<Scalar>> lists)
    {
        parser.Consume<StreamStart>();
        if (Take<DocumentStart>(parser) is null || Take<MappingStart>(parser) is not { } mapping)
        {
            throw Wrong("it is no mapping");
        }

        RefuseDecoration(mapping);
        while (Take<MappingEnd>(parser) is null)
        {
            Scalar key = Text(parser);
            if (texts.ContainsKey(key.Value) || lists.ContainsKey(key.Value))
            {
                throw Wrong(key, $"{key.Value} is given twice");
            }

            if (Take<SequenceStart>(parser) is not { } sequence)
            {
                texts.Add(key.Value, Text(parser));
                continue;
            }

            RefuseDecoration(sequence);
            List<Scalar> items = [];
            while (Take<SequenceEnd>(parser) is null)
            {
                items.Add(Text(parser));
            }

            lists.Add(key.Value, items);
        }

        parser.Consume<DocumentEnd>();
        if (Take<StreamEnd>(parser) is null)
        {
            throw Wrong("there is more than one document");
        }
    }

    private static Scalar Text(Parser parser)
    {
        Scalar scalar = Take<Scalar>(parser) ?? throw Wrong(parser.Current!, "a text is expected");
        RefuseDecoration(scalar);
        return scalar;
    }

    private static T? Take<T>(Parser parser)
        where T : ParsingEvent => parser.TryConsume<T>(out T? taken) ? taken : null;

    private static void RefuseDecoration(NodeEvent node)
    {
        if (!node.Anchor.IsEmpty || !node.Tag.IsEmpty)
        {
            throw Wrong(node, "anchors and tags are not understood");
        }
    }

    private static string Required(Dictionary<string, Scalar> texts, string key) =>
        texts.TryGetValue(key, out Scalar? value) && !IsNull(value) ? value.Value : throw Missing(key);

    /// <summary>A list of words; null when there is none. The old form <c>$tag:</c> is understood.</summary>
    private static string[]? Words(Dictionary<string, Scalar> texts, Dictionary<string, IReadOnlyList<Scalar>> lists, string key)
    {
        if (lists.TryGetValue(key, out IReadOnlyList<Scalar>? items))
        {
            return [.. items.Select(item => item.Value.Replace('$', '@'))];
        }

        return !texts.TryGetValue(key, out Scalar? value) || IsNull(value) ? null : throw Wrong(value, $"{key} must be a list");
    }

    private static string? Filter(Dictionary<string, Scalar> texts, Dictionary<string, IReadOnlyList<Scalar>> lists)
    {
        if (lists.ContainsKey("compression"))
        {
            throw Wrong("compression must be true, false or a program");
        }

        if (!texts.TryGetValue("compression", out Scalar? value))
        {
            return DefaultFilter;
        }

        // In quotes a word is a program, whatever it is.
        bool isPlain = value.Style == ScalarStyle.Plain;
        return isPlain && Trues.Contains(value.Value) ? DefaultFilter
            : value.Value.Length == 0 || IsNull(value) || (isPlain && Falses.Contains(value.Value)) ? null
            : value.Value;
    }

    private static bool IsNull(Scalar value) => value.Style == ScalarStyle.Plain && Nulls.Contains(value.Value);

    private static QubesException Missing(string key) => QubesErrors.General($"Invalid backup profile - missing '{key}'");

    private static QubesException Wrong(string text) => QubesErrors.General($"Invalid backup profile - {text}");

    private static QubesException Wrong(ParsingEvent at, string text) =>
        Wrong(string.Create(CultureInfo.InvariantCulture, $"line {at.Start.Line}: {text}"));
}
