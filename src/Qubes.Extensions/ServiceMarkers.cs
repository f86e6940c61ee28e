using Microsoft.Extensions.Logging;
using Qubes.Linux;

namespace Qubes.Extensions;

/// <summary>
/// Empty files that say which services of dom0 are switched on, for scripts and units that look for them. Made and removed one after
/// the other, off the loop.
/// </summary>
internal sealed class ServiceMarkers(string directory, ILogger log)
{
    private Task _last = Task.CompletedTask;

    /// <param name="service">A name without slashes.</param>
    public void Set(string service, bool isOn) => _last = _last.ContinueWith(
        _ => Apply(service, isOn), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    private void Apply(string service, bool isOn)
    {
        string path = Path.Combine(directory, service);
        try
        {
            if (isOn)
            {
                Directory.CreateDirectory(directory);
                new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write).Dispose();
            }
            else
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.LogWarning("The marker of service {Service} cannot be changed: {Reason}", LogText.Escape(service), e.Message);
        }
    }
}
