namespace Qubes.Admin.Planning;

/// <summary>Replaces the notes, or with null removes them.</summary>
internal sealed record NotesStep(string Place, string UntrustedQube, string? UntrustedText) : ChangeStep(Place, UntrustedQube);
