using Qubes.Store.Format;
using Qubes.Store.Journal;

namespace Qubes.Store.Loading;

/// <summary>The state that the files of a store make up together.</summary>
/// <param name="Content">The text of the file, or of the generation taken in its place.</param>
/// <param name="Document">That text with the journal's changes applied.</param>
/// <param name="Identity">Of the text.</param>
/// <param name="Revision">The highest revision known anywhere.</param>
/// <param name="IsFileBehind">The journal had changes that the file has not.</param>
/// <param name="IsJournalAtFile">What is appended to the journal now are changes of exactly this file.</param>
/// <param name="IsFromGeneration">The file was damaged.</param>
internal sealed record RecoveredStore(
    ReadOnlyMemory<byte> Content, StoreDocument Document, StoreIdentity Identity, long Revision, bool IsFileBehind, bool IsJournalAtFile,
    bool IsFromGeneration);
