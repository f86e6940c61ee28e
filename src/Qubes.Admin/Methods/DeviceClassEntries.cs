using Microsoft.Extensions.Logging;
using Qubes.Admin.Methods.Families;
using Qubes.Linux;
using Qubes.Model;

namespace Qubes.Admin.Methods;

/// <summary>
/// Lets qubes call about device classes that extensions bring, as long as there is such a class. Classes of the method table have their entries for
/// good. Belongs to the model loop; files are written off it, one state after the other.
/// </summary>
public sealed class DeviceClassEntries
{
    /// <summary>After the file with the lines of the other calls, before that which denies the rest.</summary>
    public const string PolicyFile = "90-admin-device-classes.policy";

    private readonly QubesApp _app;
    private readonly ILogger _log;
    private readonly RuntimeEntries _entries;
    private Task _writing = Task.CompletedTask;
    private bool _isStale;

    /// <summary>Follows the classes from now on. What an earlier run left is cleared away with the first state.</summary>
    public DeviceClassEntries(QubesApp app, QubesPaths paths, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(app);
        _app = app;
        _log = log;
        _entries = new RuntimeEntries(paths, PolicyFile, "Made by qubesd for the device classes of its extensions; gone with them.", [DeviceMethods.Prefix], log);
        app.Devices.ClassesChanged += Update;
        Update();
    }

    /// <summary>Completes when the files are as the classes were at this moment. Does not throw: failures are logged.</summary>
    public async Task FlushAsync()
    {
        while (!_writing.IsCompleted)
        {
            await _writing;
        }
    }

    private void Update()
    {
        _isStale = true;
        if (_writing.IsCompleted)
        {
            _writing = WriteAsync();
        }
    }

    private async Task WriteAsync()
    {
        // Not within the change that made or ended the class.
        await Task.Yield();
        while (_isStale)
        {
            _isStale = false;
            AdminMethod[] methods =
            [
                .. _app.Devices.Classes.Where(c => !AdminMethods.Table.All.Any(m => m.Name == $"{DeviceMethods.Prefix}{c}.Available"))
                    .SelectMany(DeviceMethods.OfClass),
            ];
            try
            {
                await Task.Run(() => _entries.Write(methods));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or LinuxException)
            {
                _log.LogError("Qubes cannot call about device classes of extensions: {Reason}", LogText.Escape(e.Message));
            }
        }
    }
}
