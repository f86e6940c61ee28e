using Microsoft.Extensions.Logging;
using Qubes.Admin.Methods.Families;
using Qubes.Linux;
using Qubes.Model.Classes;

namespace Qubes.Admin.Methods;

/// <summary>Lets qubes make qubes of classes that extensions bring, from the daemon's start to its end. What an earlier run left is cleared away.</summary>
public sealed class QubeClassEntries(QubesPaths paths, ILogger log)
{
    public const string PolicyFile = "90-admin-qube-classes.policy";

    private readonly RuntimeEntries _entries = new(paths, PolicyFile, "Made by qubesd for the qube classes of its extensions; gone at its end.",
        [QubeMethods.CreatePrefix, QubeMethods.CreateInPoolPrefix], log);

    public Task WriteAsync(IReadOnlyList<QubeClass> classes) => Task.Run(() =>
    {
        try
        {
            _entries.Write([.. classes.SelectMany(QubeMethods.OfClass)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or LinuxException)
        {
            log.LogError("Qubes cannot make qubes of the classes of extensions: {Reason}", LogText.Escape(e.Message));
        }
    });
}
