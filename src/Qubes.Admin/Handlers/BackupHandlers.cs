using System.Text;
using Qubes.Admin.Backups;
using Qubes.Admin.Calls;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Handlers;

/// <summary>
/// The calls about backup profiles. This version tells what a profile would back up, and makes no backups: none can be under way, and one that is
/// asked for is refused once nothing else speaks against it.
/// </summary>
internal static class BackupHandlers
{
    public static async ValueTask ExecuteAsync(AdminCall call)
    {
        RequireName(call);
        call.Permit();
        BackupProfile profile = await LoadAsync(call);
        RequirePassphrase(call, profile);
        _ = BackupContents.Select(call.Services, profile);
        throw QubesErrors.NotImplemented("This version makes no backups");
    }

    public static async ValueTask InfoAsync(AdminCall call)
    {
        RequireName(call);
        call.Permit();
        BackupContents contents = BackupContents.Select(call.Services, await LoadAsync(call));
        call.Write(BackupSummary.Write(await contents.MeasureAsync(), contents.NotSelected));
    }

    public static void Cancel(AdminCall call)
    {
        RequireName(call);
        call.Permit();
        throw QubesErrors.General("Backup operation not running");
    }

    private static async Task<BackupProfile> LoadAsync(AdminCall call)
    {
        string path = Path.Combine(call.Services.Storage.Environment.Paths.BackupProfileDirectory, call.UntrustedArgument + ".conf");
        return BackupProfileReader.Read(await Task.Run(() => ReadText(path)) ?? throw QubesErrors.BackupProfileNotFound(call.UntrustedArgument));
    }

    /// <summary>Null when there is no such file.</summary>
    private static string? ReadText(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] buffer = new byte[BackupProfileReader.MaxLength + 1];
            int length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return length <= BackupProfileReader.MaxLength
                ? new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(buffer, 0, length)
                : throw QubesErrors.General($"Invalid backup profile - longer than {BackupProfileReader.MaxLength} bytes");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (DecoderFallbackException)
        {
            throw QubesErrors.General("Invalid backup profile - not UTF-8 text");
        }
    }

    private static void RequirePassphrase(AdminCall call, BackupProfile profile)
    {
        if (profile.PassphraseText is not null)
        {
            return;
        }

        if (profile.PassphraseVm is null)
        {
            throw QubesErrors.General("Invalid backup profile - you need to specify passphrase_text or passphrase_vm");
        }

        if (call.App.Domains.All(qube => qube.Name.Value != profile.PassphraseVm))
        {
            throw QubesErrors.General("Invalid backup profile - invalid passphrase_vm");
        }
    }

    private static void RequireName(AdminCall call)
    {
        if (call.UntrustedArgument.Contains('/', StringComparison.Ordinal))
        {
            throw QubesErrors.Protocol("Backup profile ID must not contain forward slash character");
        }
    }
}
