using System.Buffers;
using System.Text;
using System.Text.Json;
using Qvm.CommandLine;
using Qvm.Output;

namespace Qvm.Tools;

/// <summary><c>qubes-apply</c></summary>
internal sealed class ApplyTool : ITool
{
    // What the daemon takes in one request, less room for its header.
    private const int MostBytes = 65_000;

    public string Name => "qubes-apply";

    public string Summary => "make the changes of a document, all or none, or tell what they would do";

    public void Define(ArgumentParser parser)
    {
        parser.Positional("FILE", "file", "the document, in JSON; - for standard input");
        parser.Flag("--plan -n", "plan", "only tell what would change, what needs a restart and whose rights widen");
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        byte[] document = await ReadAsync(arguments.Required("file"));
        string text = await context.App.CallAsync("admin.change.Plan", payload: Encoding.UTF8.GetString(document));
        using JsonDocument plan = Parse(text);
        if (arguments.Has("plan"))
        {
            foreach (string line in PlanText.Lines(plan.RootElement))
            {
                await context.Out.WriteLineAsync(line);
            }

            return 0;
        }

        // Made for the state that was just looked at: whoever changes something in between is not overwritten.
        string payload = WithRevision(document, plan.RootElement.GetProperty("revision").GetInt64());
        using JsonDocument done = Parse(await context.App.CallAsync("admin.change.Apply", payload: payload));
        foreach (string line in PlanText.Warnings(plan.RootElement))
        {
            context.Say(line);
        }

        await context.Out.WriteLineAsync($"revision {done.RootElement.GetProperty("revision").GetInt64()}");
        return 0;
    }

    private static async Task<byte[]> ReadAsync(string path)
    {
        try
        {
            await using Stream input = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            byte[] buffer = new byte[MostBytes + 1];
            int length = await input.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false);
            return length <= MostBytes ? buffer[..length] : throw new ToolException($"{path} is larger than {MostBytes} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(e.Message);
        }
    }

    private static JsonDocument Parse(string text)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            throw new ToolException("the daemon's answer is not understood");
        }
    }

    /// <summary>The document as it is, with the revision added unless it names one.</summary>
    private static string WithRevision(byte[] document, long revision)
    {
        using JsonDocument json = JsonDocument.Parse(document);
        if (json.RootElement.TryGetProperty("revision", out _))
        {
            return Encoding.UTF8.GetString(document);
        }

        ArrayBufferWriter<byte> output = new(document.Length + 32);
        using (Utf8JsonWriter writer = new(output))
        {
            writer.WriteStartObject();
            writer.WriteNumber("revision"u8, revision);
            foreach (JsonProperty member in json.RootElement.EnumerateObject())
            {
                member.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
