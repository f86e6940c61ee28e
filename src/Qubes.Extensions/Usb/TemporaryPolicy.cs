using System.Globalization;

namespace Qubes.Extensions.Usb;

/// <summary>Rules that hold for the moment of one call: each a file of its own, removed afterwards.</summary>
/// <param name="directory">See <see cref="RuntimePolicy"/>.</param>
internal sealed class TemporaryPolicy(string directory)
{
    private const string Prefix = "10-usb-attach-";

    private readonly RuntimePolicy _files = new(directory);
    private long _last;

    /// <summary>Removes what a run that was killed has left.</summary>
    public void Clear() => _files.Clear(Prefix);

    /// <summary>Does something while a rule holds.</summary>
    public async Task<T> WhileAsync<T>(string rule, Func<Task<T>> action)
    {
        string file = Prefix + Interlocked.Increment(ref _last).ToString(CultureInfo.InvariantCulture) + ".policy";
        await Task.Run(() => _files.Write(file, rule + "\n"));
        try
        {
            return await action();
        }
        finally
        {
            await Task.Run(() => _files.Remove(file));
        }
    }
}
