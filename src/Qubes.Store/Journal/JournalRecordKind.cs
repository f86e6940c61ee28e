namespace Qubes.Store.Journal;

/// <summary>What a record of the journal says.</summary>
internal enum JournalRecordKind : byte
{
    /// <summary>At this point the state is that of a certain <c>qubes.xml</c>; see <see cref="BaseMark"/>.</summary>
    Base = 1,

    /// <summary>A group of commits; see <see cref="JournaledChange"/>.</summary>
    Change = 2,

    /// <summary>The file of an earlier base has been put in place; see <see cref="SettledMark"/>.</summary>
    Settled = 3,
}
