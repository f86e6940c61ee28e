using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Qubes.Linux;

/// <summary>
/// Log lines on standard error, one write per line so that lines of several processes never mix. Under systemd each line
/// carries the <c>&lt;N&gt;</c> priority prefix of the journal.
/// </summary>
public sealed class StandardErrorLoggerFactory : ILoggerFactory
{
    private readonly Stream _output = Console.OpenStandardError();
    private readonly Lock _gate = new();
    private readonly LogLevel _minimum;
    private readonly bool _withPriority;

    public StandardErrorLoggerFactory(LogLevel minimum = LogLevel.Information)
    {
        _minimum = minimum;
        _withPriority = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null;
    }

    public ILogger CreateLogger(string categoryName) => new StandardErrorLogger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) =>
        throw new NotSupportedException("Standard error is the only destination of this factory.");

    public void Dispose() => _output.Dispose();

    private void Write(LogLevel level, string category, string message, Exception? exception)
    {
        var priority = _withPriority ? PriorityOf(level) : "";
        var line = exception is null
            ? $"{priority}{category}: {LogText.Guard(message)}\n"
            : $"{priority}{category}: {LogText.Guard(message)}: {LogText.Escape(exception.ToString())}\n";
        var bytes = System.Text.Encoding.ASCII.GetBytes(line);
        lock (_gate)
        {
            try
            {
                _output.Write(bytes);
            }
            catch (IOException)
            {
                // Whoever read our log is gone; the daemon's work matters more than its lines.
            }
        }
    }

    private static string PriorityOf(LogLevel level) => level switch
    {
        LogLevel.Critical => "<2>",
        LogLevel.Error => "<3>",
        LogLevel.Warning => "<4>",
        LogLevel.Information => "<6>",
        _ => "<7>",
    };

    private sealed class StandardErrorLogger(StandardErrorLoggerFactory factory, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => NullLogger.Instance.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel >= factory._minimum && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                factory.Write(logLevel, category, formatter(state, exception), exception);
        }
    }
}
