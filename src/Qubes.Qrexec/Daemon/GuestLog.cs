using Microsoft.Extensions.Logging;
using Qubes.Linux;

namespace Qubes.Qrexec.Daemon;

/// <summary>
/// Log of what a guest makes us say. A guest can cause as many lines as it likes: they are limited in rate, what is left out is
/// counted, and nothing of it reaches the log unescaped.
/// </summary>
internal sealed class GuestLog(ILogger log, TimeProvider time)
{
    private const double LinesPerSecond = 20;
    private const double Burst = 100;

    private readonly Lock _gate = new();
    private readonly TokenBucket _bucket = new(LinesPerSecond, Burst, time);
    private int _suppressed;

    public void Information(string text) => Write(LogLevel.Information, text);

    public void Warning(string text) => Write(LogLevel.Warning, text);

    private void Write(LogLevel level, string text)
    {
        int suppressed;
        lock (_gate)
        {
            if (!_bucket.TryTake())
            {
                _suppressed++;
                return;
            }

            suppressed = _suppressed;
            _suppressed = 0;
        }

        if (suppressed > 0)
        {
            log.LogWarning("{Count} lines about this qube left out", suppressed);
        }

        log.Log(level, "{Text}", LogText.Escape(text));
    }
}
