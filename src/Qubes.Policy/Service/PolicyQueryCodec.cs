using System.Diagnostics.CodeAnalysis;
using System.Text;
using Qubes.Policy.Evaluation;
using Qubes.Policy.Text;

namespace Qubes.Policy.Service;

/// <summary>
/// The request on <c>policy.sock</c>: ASCII lines in any order, ended by an empty line or by the end of input.
/// <code>
/// source=NAME LF               required
/// intended_target=TARGET LF    required, may be empty
/// service_and_arg=SERVICE LF   required, SERVICE[+ARG]
/// requested_source=NAME LF     optional, empty for none
/// just_evaluate=yes|no LF      optional
/// assume_yes_for_ask=yes|no LF optional
/// LF
/// </code>
/// </summary>
public static class PolicyQueryCodec
{
    /// <summary>Longest line, with its end.</summary>
    public const int MaxLine = 64 * 1024;

    /// <summary>Longest request: one line may be long, the others are names.</summary>
    public const int MaxRequest = MaxLine + 4096;

    private const int Source = 0;
    private const int IntendedTarget = 1;
    private const int ServiceAndArgument = 2;
    private const int RequestedSource = 3;
    private const int JustEvaluate = 4;
    private const int AssumeYes = 5;
    private static readonly string[] s_keys =
        ["source", "intended_target", "service_and_arg", "requested_source", "just_evaluate", "assume_yes_for_ask"];

    /// <summary>Where the empty line that ends a request ends, or -1 if it has not come yet.</summary>
    public static int FindEnd(ReadOnlySpan<byte> input)
    {
        if (input is [(byte)'\n', ..])
        {
            return 1;
        }

        int blank = input.IndexOf("\n\n"u8);
        return blank < 0 ? -1 : blank + 2;
    }

    /// <summary>Reads a request; <paramref name="error"/> says, safe to log, what is wrong with it otherwise.</summary>
    public static bool TryParse(
        ReadOnlySpan<byte> untrustedRequest, [NotNullWhen(true)] out PolicyQuery? query, [NotNullWhen(false)] out string? error)
    {
        query = null;
        error = null;
        string?[] values = new string?[s_keys.Length];
        while (!untrustedRequest.IsEmpty && untrustedRequest[0] != '\n' && error is null)
        {
            int end = untrustedRequest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? untrustedRequest : untrustedRequest[..end];
            untrustedRequest = untrustedRequest[(end < 0 ? line.Length : end + 1)..];
            error = ReadLine(line, values);
        }

        error ??= Check(values);
        if (error is not null)
        {
            return false;
        }

        PolicyCall call = new(
            values[Source]!, values[IntendedTarget]!, values[ServiceAndArgument]!, values[RequestedSource] ?? "");
        query = new PolicyQuery(call, values[JustEvaluate] == "yes", values[AssumeYes] == "yes");
        return true;
    }

    /// <summary>Writes a request, as a client does.</summary>
    public static byte[] Write(PolicyQuery query)
    {
        StringBuilder text = new();
        text.Append("source=").Append(query.Call.Source)
            .Append("\nintended_target=").Append(query.Call.IntendedTarget)
            .Append("\nservice_and_arg=").Append(query.Call.ServiceAndArgument);
        if (query.Call.RequestedSource.Length > 0)
        {
            text.Append("\nrequested_source=").Append(query.Call.RequestedSource);
        }

        if (query.JustEvaluate)
        {
            text.Append("\njust_evaluate=yes");
        }

        if (query.AssumeYesForAsk)
        {
            text.Append("\nassume_yes_for_ask=yes");
        }

        return Encoding.ASCII.GetBytes(text.Append("\n\n").ToString());
    }

    private static string? ReadLine(ReadOnlySpan<byte> line, string?[] values)
    {
        if (line.Length >= MaxLine)
        {
            return "a line is too long";
        }

        if (!Ascii.IsValid(line) || line.Contains((byte)0))
        {
            return "a line is not ASCII text";
        }

        int equals = line.IndexOf((byte)'=');
        if (equals < 0)
        {
            return "a line has no '='";
        }

        string key = Encoding.ASCII.GetString(line[..equals]);
        int index = Array.IndexOf(s_keys, key);
        if (index < 0)
        {
            return $"unknown key {PythonText.Quote(key)}";
        }

        if (values[index] is not null)
        {
            return $"key {key} given twice";
        }

        values[index] = Encoding.ASCII.GetString(line[(equals + 1)..]);
        return null;
    }

    private static string? Check(string?[] values)
    {
        for (int required = Source; required <= ServiceAndArgument; required++)
        {
            if (values[required] is null)
            {
                return $"key {s_keys[required]} is missing";
            }
        }

        for (int boolean = JustEvaluate; boolean <= AssumeYes; boolean++)
        {
            if (values[boolean] is not (null or "yes" or "no"))
            {
                return $"key {s_keys[boolean]} is neither yes nor no";
            }
        }

        return values[Source]!.Length == 0 ? "the source is empty" : null;
    }
}
