using Qubes.Model.Changes;

namespace Qubes.Store.History;

/// <summary>One committed change as the history tells it.</summary>
/// <param name="Revision">Its number.</param>
/// <param name="When">The time of the call.</param>
/// <param name="Who">The name of the calling qube, or <c>qubesd</c>.</param>
/// <param name="Call">The method with its argument.</param>
/// <param name="Changes">What it changed, in order. Long values are cut, see <see cref="HistoryReader.IsCut"/>.</param>
public sealed record HistoryEntry(long Revision, DateTimeOffset When, string Who, string Call, IReadOnlyList<ChangeRecord> Changes);
