using System.Globalization;
using System.Text;
using Qubes.Linux;
using Qubes.Protocol.Audit;
using Qvm.CommandLine;
using Qvm.Tools.Auditing;

namespace Qvm.Tools;

/// <summary><c>qubes-audit</c>: reads the log's files, needs no daemon.</summary>
internal sealed class AuditTool : ITool
{
    private static readonly string[] Commands = ["list", "verify", "head"];

    public string Name => "qubes-audit";

    public string Summary => "query and verify the record of all calls of the Admin API";

    public string ExitStatus => "verify: 1 also when a record was changed, removed or moved. list: 1 also when a line cannot be read.";

    public void Define(ArgumentParser parser)
    {
        parser.Option("--directory", "directory", "where the log is, by default /var/log/qubes/audit", placeholder: "DIR");
        parser.Option("--source", "source", "list: calls of this qube; may be a shell pattern", placeholder: "QUBE");
        parser.Option("--call", "call", "list: calls of this name; may be a shell pattern, such as admin.vm.device.*", placeholder: "CALL");
        parser.Option("--target", "target", "list: calls on this qube; may be a shell pattern", placeholder: "QUBE");
        parser.Option("--outcome", "outcome",
            "list: ok, failed (anything else), denied (by policy or permission), or the class of an error; may be a shell pattern", placeholder: "OUTCOME");
        parser.Option("--since", "since", "list: not earlier; a time such as 2026-11-24T19:00, or how long ago: 90s, 15m, 2h, 7d", placeholder: "TIME");
        parser.Option("--until", "until", "list: not later", placeholder: "TIME");
        parser.Option("--last", "last", "list: only the last NUMBER that match", placeholder: "NUMBER");
        parser.Flag("--json", "json", "list: the records as they are, one JSON object a line");
        parser.Option("--expect", "expect", "verify: the log must hold this record, as head told it", placeholder: "NUMBER:HASH");
        parser.Positional("COMMAND", "command",
            "list (without a command as well): print records; verify: check the whole log; head: print number and hash of the last record, to keep elsewhere",
            Arity.Optional, Commands);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        string directory = arguments.Last("directory") ?? context.Paths.AuditDirectory;
        try
        {
            return arguments.Last("command") switch
            {
                "verify" => await VerifyAsync(context, directory, arguments.Last("expect")),
                "head" => await HeadAsync(context, directory),
                _ => await ListAsync(context, directory, arguments),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(e.Message);
        }
    }

    private static async Task<int> ListAsync(ToolContext context, string directory, ParsedArguments arguments)
    {
        AuditFilter filter = AuditFilter.Of(arguments, DateTimeOffset.Now);
        int? most = arguments.Last("last") is not { } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number
            : throw new UsageException($"argument --last: invalid int value: '{text}'");
        bool json = arguments.Has("json");
        Queue<string> lines = new();
        bool isWhole = true;
        IReadOnlyList<string> files = AuditFormat.Files(directory);
        foreach (string file in files)
        {
            await using FileStream stream = Open(file);
            AuditLines.Read(stream, (line, at, isEnded) =>
            {
                if (!isEnded)
                {
                    return;
                }

                if (!AuditRecord.TryParse(line, out AuditRecord? record))
                {
                    isWhole = false;
                    context.PrintError(FormattableString.Invariant($"{Path.GetFileName(file)}:{at}: not a record"));
                    return;
                }

                if (filter.Matches(record))
                {
                    lines.Enqueue(json ? Encoding.ASCII.GetString(line) : AuditText.Of(record));
                    if (lines.Count > most)
                    {
                        lines.Dequeue();
                    }
                }
            });
            if (most is null)
            {
                await WriteAsync(context, lines);
            }
        }

        await WriteAsync(context, lines);
        return isWhole ? 0 : 1;
    }

    private static async Task WriteAsync(ToolContext context, Queue<string> lines)
    {
        while (lines.TryDequeue(out string? line))
        {
            await context.Out.WriteLineAsync(line);
        }
    }

    private static async Task<int> VerifyAsync(ToolContext context, string directory, string? expected)
    {
        AuditVerifier verifier = new();
        if (expected is not null)
        {
            verifier.Expect(AuditPosition.Parse(expected) ?? throw new UsageException($"argument --expect: not NUMBER:HASH: '{expected}'"));
        }

        // Read first: the daemon writes on, and the log must be at least as long as it was then.
        string head = Path.Combine(directory, AuditFormat.HeadFile);
        if (File.Exists(head))
        {
            if (AuditPosition.Parse(await File.ReadAllTextAsync(head)) is { } known)
            {
                verifier.Expect(known);
            }
            else
            {
                context.PrintError($"{AuditFormat.HeadFile}: neither number nor hash");
            }
        }

        Follow(verifier, AuditFormat.Files(directory));
        foreach (string note in verifier.Notes)
        {
            context.Say($"note: {LogText.Escape(note)}");
        }

        foreach (string problem in verifier.Problems)
        {
            context.PrintError(LogText.Escape(problem));
        }

        await context.Out.WriteLineAsync(FormattableString.Invariant(
            $"{verifier.Records} records, {verifier.Problems.Count} problems, last record {verifier.End.ToString().Replace(' ', ':')}"));
        return verifier.Problems.Count == 0 ? 0 : 1;
    }

    private static async Task<int> HeadAsync(ToolContext context, string directory)
    {
        AuditVerifier verifier = new();
        Follow(verifier, AuditFormat.Files(directory) is { Count: > 0 } files ? [files[^1]] : []);
        if (verifier.Records == 0)
        {
            throw new ToolException("there is no record");
        }

        await context.Out.WriteLineAsync(verifier.End.ToString().Replace(' ', ':'));
        return 0;
    }

    private static void Follow(AuditVerifier verifier, IReadOnlyList<string> files)
    {
        foreach (string file in files)
        {
            using FileStream stream = Open(file);
            verifier.Check(Path.GetFileName(file), stream, isLast: file == files[^1]);
        }

        verifier.Finish();
    }

    private static FileStream Open(string file) => new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}
