using System.Globalization;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;

namespace Qubes.Lifecycle.Disposables;

/// <summary>How many disposables the free memory of the host allows.</summary>
internal sealed class FreeMemory(DisposableContext context)
{
    internal async Task<int> LimitAsync(QubesVM template, int wanted)
    {
        if (context.Options.FreeMemoryFile is not { } file || await Task.Run(() => Read(file)) is not { } bytes)
        {
            return wanted;
        }

        long free = Math.Max(0, bytes - PreloadSettings.ThresholdOf(context.App));
        return (int)Math.Min(wanted, free / ((long)template.Memory << 20));
    }

    // The balancer writes a decimal number of bytes.
    private long? Read(string file)
    {
        try
        {
            // The directory is shared with others.
            if (FileStatus.Find(file) is not { IsOwnRegularFile: true })
            {
                return null;
            }

            return long.Parse(File.ReadAllText(file).Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
        }
        catch (FileNotFoundException)
        {
            // There is no memory balancer on this host.
            return null;
        }
        catch (Exception failure)
        {
            context.Log.LogWarning(failure, "How much memory is free cannot be read: it is no limit for disposables kept ready");
            return null;
        }
    }
}
