using System.Globalization;
using System.Threading.Channels;
using Qubes.Protocol.Agents;

namespace Qvm.Tools.Asking;

/// <summary>
/// Asks at a terminal, one question after the other. What was typed before a question stood there does not answer it, nor does what
/// comes within a second: it was meant for something else. Texts of requests are printable (<see cref="AgentRequest"/>).
/// </summary>
internal sealed class TerminalDialogue : IDisposable
{
    private const string NewDisposable = "@dispvm:";
    private static readonly TimeSpan ReadingTime = TimeSpan.FromSeconds(1);

    private readonly TextWriter _output;
    private readonly TimeProvider _time;
    private readonly Channel<(string Text, long At)> _lines = Channel.CreateUnbounded<(string, long)>();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _writing = new();

    public TerminalDialogue(TextReader input, TextWriter output, TimeProvider time)
    {
        _output = output;
        _time = time;

        // Reading from a terminal occupies a thread, whatever it is called.
        new Thread(() => Read(input)) { Name = "terminal", IsBackground = true }.Start();
    }

    /// <summary>Completes at the end of input, or after <see cref="End"/>.</summary>
    public Task Ended => _ended.Task;

    public void End() => _ended.TrySetResult();

    public void Dispose() => _turn.Dispose();

    public void Say(string text)
    {
        lock (_writing)
        {
            _output.WriteLine(text);
            _output.Flush();
        }
    }

    public void Tell(AgentNotice notice) => Say(string.Create(
        CultureInfo.InvariantCulture, $"{Outcome(notice.Resolution)}: {Call(notice.Service, notice.Argument)} from {notice.Source} to {notice.Target}"));

    /// <summary>Asks until there is an answer: <c>allow:TARGET</c> or <c>deny</c>. Nobody there any more is a no.</summary>
    /// <exception cref="OperationCanceledException">The question was withdrawn.</exception>
    public async Task<string> AskAsync(AgentQuestion question, CancellationToken withdrawn)
    {
        await _turn.WaitAsync(withdrawn);
        try
        {
            long asked = _time.GetTimestamp();
            Show(question);
            while (true)
            {
                Prompt(question);
                string? line = await NextLineAsync(asked, withdrawn);
                if ((line is null ? AgentQuestion.Refusal : Understand(question, line)) is { } answer)
                {
                    return answer;
                }

                Say("That is none of them.");
            }
        }
        catch (OperationCanceledException)
        {
            Say("");
            Say("(The question was withdrawn.)");
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private static string Outcome(string resolution) => resolution switch
    {
        "allow" => "Allowed",
        "deny" => "Denied",
        _ => "Failed",
    };

    private static string Call(string service, string argument) => argument == "+" ? service : service + argument;

    private static string Shown(string target) =>
        target.StartsWith(NewDisposable, StringComparison.Ordinal) ? $"new disposable of {target[NewDisposable.Length..]}" : target;

    private static string? Proposed(AgentQuestion question) => question.DefaultTarget ?? (question.Targets is [string only] ? only : null);

    private static string? Understand(AgentQuestion question, string answer)
    {
        string word = answer.Trim();
        if (word is "" or "n" or "no")
        {
            return AgentQuestion.Refusal;
        }

        if (word is "y" or "yes" && Proposed(question) is { } proposed)
        {
            return AgentQuestion.Consent(proposed);
        }

        if (question.Targets.Contains(word, StringComparer.Ordinal))
        {
            return AgentQuestion.Consent(word);
        }

        return int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 && number <= question.Targets.Count
            ? AgentQuestion.Consent(question.Targets[number - 1])
            : null;
    }

    private void Show(AgentQuestion question)
    {
        string what = question.IsDevice
            ? $"Device {question.Source}:{question.Argument} ({question.Name}) can be attached. To which qube?"
            : $"{question.Source} wants to call {Call(question.Name, question.Argument)}. Where may it?";
        IEnumerable<string> choices = question.Targets.Select((target, i) => string.Create(
            CultureInfo.InvariantCulture, $"{(target == Proposed(question) ? '*' : ' ')}{i + 1,4}  {Shown(target)}"));
        Say(string.Join('\n', ["", what, .. choices]));
    }

    private void Prompt(AgentQuestion question)
    {
        lock (_writing)
        {
            _output.Write(Proposed(question) is { } proposed
                ? $"Number or name, yes for {Shown(proposed)}, nothing for no: "
                : "Number or name, nothing for no: ");
            _output.Flush();
        }
    }

    /// <summary>The next line that can be meant for a question asked at <paramref name="asked"/>; null at the end.</summary>
    private async Task<string?> NextLineAsync(long asked, CancellationToken withdrawn)
    {
        while (await _lines.Reader.WaitToReadAsync(withdrawn))
        {
            if (!_lines.Reader.TryRead(out (string Text, long At) line))
            {
                continue;
            }

            if (_time.GetElapsedTime(asked, line.At) >= ReadingTime)
            {
                return line.Text;
            }

            if (line.At >= asked)
            {
                Say("That was too quick to be an answer to this. Again:");
            }
        }

        return null;
    }

    private void Read(TextReader input)
    {
        try
        {
            while (input.ReadLine() is { } line)
            {
                _lines.Writer.TryWrite((line, _time.GetTimestamp()));
            }
        }
        catch (IOException e)
        {
            // The terminal is gone.
            Say(e.Message);
        }

        _lines.Writer.Complete();
        End();
    }
}
