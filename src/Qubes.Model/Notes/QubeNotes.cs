using System.Security.Cryptography;
using System.Text;
using Qubes.Model.Changes;
using Qubes.Model.Classes;

namespace Qubes.Model.Notes;

/// <summary>
/// What is known of the notes of one qube. The text lies in a file of its own and may be long: kept is only which text it is, so that
/// whoever has it learns that it became another.
/// </summary>
public sealed class QubeNotes
{
    /// <summary>How the history calls the notes of a qube.</summary>
    public const string Item = "notes";

    /// <summary>What the history says of notes that could not be read: the mark of a text that is not all there was.</summary>
    public const string Unreadable = "…";

    private readonly QubesVM _owner;

    internal QubeNotes(QubesVM owner) => _owner = owner;

    /// <summary>The notes were read, or it is known that they cannot be.</summary>
    public bool IsLoaded { get; private set; }

    /// <summary>SHA-256 of the text as UTF-8, in small hex digits; empty without notes; null while they were not or cannot be read.</summary>
    public string? Digest { get; private set; }

    public static string DigestOf(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length == 0 ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>Takes what the file holds; null if it cannot be read.</summary>
    public void Load(string? digest)
    {
        bool isNew = !IsLoaded || Digest != digest;
        IsLoaded = true;
        Digest = digest;
        if (isNew)
        {
            _owner.App.Changes.TouchUnsaved(_owner, ModelAspect.Notes);
        }
    }

    /// <summary>Takes another text, within a change; the file follows with its commit.</summary>
    /// <param name="before">The text there was, for the history; null if it cannot be read.</param>
    /// <param name="text">The new one; empty for none.</param>
    public void Set(string? before, string text)
    {
        (bool wasLoaded, string? digest) = (IsLoaded, Digest);
        using ChangeScope scope = _owner.App.Changes.Enter();
        Put(true, DigestOf(text));
        scope.Record(
            () => Put(wasLoaded, digest),
            new ChangeRecord(_owner.SubjectText, Item, before is "" ? null : before ?? Unreadable, text.Length == 0 ? null : text));
        scope.Done();

        void Put(bool isLoaded, string? now)
        {
            (IsLoaded, Digest) = (isLoaded, now);
            _owner.App.Changes.Touch(_owner, ModelAspect.Notes, "");
        }
    }

    /// <summary>Takes what another model has of the same qube.</summary>
    internal void CopyFrom(QubeNotes other) => (IsLoaded, Digest) = (other.IsLoaded, other.Digest);
}
