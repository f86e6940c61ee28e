using System.Globalization;

namespace Qubes.Storage;

/// <summary>A kept former state of a volume.</summary>
/// <param name="Id">What <c>Revert</c> is given.</param>
/// <param name="Time">When that state was committed.</param>
public sealed record VolumeRevision(string Id, DateTimeOffset Time)
{
    /// <summary>ISO form in UTC without a zone, as clients expect it.</summary>
    public string TimeText => Time.UtcDateTime.ToString(
        Time.Microsecond == 0 && Time.Millisecond == 0 ? "yyyy-MM-dd'T'HH:mm:ss" : "yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
}
