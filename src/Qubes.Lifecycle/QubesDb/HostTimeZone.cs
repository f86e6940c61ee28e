namespace Qubes.Lifecycle.QubesDb;

/// <summary>The name of the host's time zone, such as <c>Europe/Berlin</c>: what <c>/etc/localtime</c> links to. Belongs to the model loop.</summary>
internal sealed class HostTimeZone(string localtimePath)
{
    private const string Marker = "/zoneinfo/";

    /// <summary>As it was when last looked at; null if it cannot be told.</summary>
    public string? Current { get; private set; }

    /// <summary>Looks, off the loop.</summary>
    public async Task<string?> LookAsync() => Current = await Task.Run(Find);

    private string? Find()
    {
        try
        {
            string? target = File.ResolveLinkTarget(localtimePath, returnFinalTarget: false)?.FullName;
            int at = target?.IndexOf(Marker, StringComparison.Ordinal) ?? -1;
            return at < 0 ? null : target![(at + Marker.Length)..];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
