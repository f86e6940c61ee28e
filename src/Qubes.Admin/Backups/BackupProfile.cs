using Qubes.Model.Classes;

namespace Qubes.Admin.Backups;

/// <summary>
/// What is to be backed up, and whereto: <c>/etc/qubes/backup/NAME.conf</c>. Words for qubes are names, <c>@tag:TAG</c> and <c>@type:CLASS</c>.
/// </summary>
internal sealed record BackupProfile
{
    /// <summary>Null: the qubes whose <c>include_in_backups</c> says so.</summary>
    public required IReadOnlyList<string>? Include { get; init; }

    public required IReadOnlyList<string> Exclude { get; init; }

    /// <summary>The qube that gets the backup; dom0 stands for a file of the host.</summary>
    public required string DestinationVm { get; init; }

    /// <summary>A directory, a file, or in a qube also a command.</summary>
    public required string DestinationPath { get; init; }

    /// <summary>The program that compresses; null for none.</summary>
    public required string? CompressionFilter { get; init; }

    public required string? PassphraseText { get; init; }

    /// <summary>The qube that is asked for the passphrase if there is no <see cref="PassphraseText"/>.</summary>
    public required string? PassphraseVm { get; init; }

    /// <summary>Whether a word of a list means this qube.</summary>
    public static bool Matches(Qube qube, string word)
    {
        if (word.StartsWith("@tag:", StringComparison.Ordinal))
        {
            return qube.Tags.All.Contains(word["@tag:".Length..]);
        }

        return word.StartsWith("@type:", StringComparison.Ordinal) ? qube.Klass == word["@type:".Length..] : qube.Name.Value == word;
    }
}
