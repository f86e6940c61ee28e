using System.Net.Sockets;
using System.Text;
using Qubes.Linux;
using Qubes.Protocol.QubesDb;
using Qubes.Qrexec.CommandLine;

namespace Qubes.Qrexec.QubesDb.Tools;

/// <summary>qubesdb-read, -write, -rm, -multiread, -list, -watch and -cmd, in a qube and on the host.</summary>
public sealed class QubesDbTool
{
    private const int Failed = 1;
    private const int NotFound = 2;

    private readonly QubesDbToolOptions _options;
    private readonly Stream _output;
    private readonly TextWriter _error;

    private QubesDbTool(QubesDbToolOptions options, Stream output, TextWriter error)
    {
        _options = options;
        _output = output;
        _error = error;
    }

    /// <summary>The names the tools are called by.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["qubesdb-cmd", "qubesdb-read", "qubesdb-write", "qubesdb-rm", "qubesdb-multiread", "qubesdb-list", "qubesdb-watch"];

    /// <summary>Runs the tool called <paramref name="name"/> and returns its exit status.</summary>
    /// <param name="paths">Null: of this system.</param>
    public static async Task<int> RunAsync(
        string name, IReadOnlyList<string> arguments, Stream output, TextWriter error, QubesPaths? paths = null)
    {
        QubesDbToolOptions options;
        try
        {
            options = QubesDbToolOptions.Parse(name, arguments);
        }
        catch (UsageException e)
        {
            await error.WriteLineAsync($"{name}: {e.Message}\n{QubesDbToolOptions.Usage}");
            return Failed;
        }

        if (options.IsHelp)
        {
            await error.WriteLineAsync(QubesDbToolOptions.Usage);
            return 0;
        }

        return await new QubesDbTool(options, output, error).RunAsync(paths ?? new QubesPaths());
    }

    private async Task<int> RunAsync(QubesPaths paths)
    {
        QubesDbConnection connection;
        try
        {
            connection = await QubesDbConnection.OpenAsync(paths, _options.Qube);
        }
        catch (Exception e) when (e is SocketException or LinuxException)
        {
            return await FailAsync($"Failed connect to {_options.Qube ?? "local"} daemon");
        }

        using (connection)
        {
            try
            {
                return _options.Command switch
                {
                    "read" => await ReadAsync(connection),
                    "write" => await WriteAsync(connection),
                    "rm" => await EachAsync(connection.RemoveAsync, "remove"),
                    "multiread" => await EachAsync(prefix => MultiReadAsync(connection, prefix), "read"),
                    "list" => await ListAsync(connection),
                    "watch" => await WatchAsync(connection),
                    _ => await FailAsync("Unknown command"),
                };
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                return await FailAsync(e.Message);
            }
        }
    }

    private async Task<int> ReadAsync(QubesDbConnection connection)
    {
        if (_options.Default is not null && _options.Arguments.Count != 1)
        {
            return await FailAsync("--default only valid with exactly 1 path to read");
        }

        bool anyFailed = false;
        bool anyAbsent = false;
        foreach (string path in _options.Arguments)
        {
            try
            {
                byte[]? value = _options.Waits ? await WaitForAsync(connection, path) : await connection.ReadAsync(path);
                value ??= _options.Default is { } given ? Encoding.UTF8.GetBytes(given) : null;
                if (value is null)
                {
                    anyAbsent = true;
                    _ = await FailAsync($"Failed to read {path}");
                }
                else
                {
                    await PrintAsync(_options.WithFullPaths ? path + " = " : "", value);
                }

                if (_options.Removes)
                {
                    await connection.RemoveAsync(path);
                }
            }
            catch (IOException)
            {
                anyFailed = true;
                _ = await FailAsync($"Failed to read {path}");
            }
        }

        return anyFailed ? Failed : anyAbsent ? NotFound : 0;
    }

    private static async Task<byte[]> WaitForAsync(QubesDbConnection connection, string path)
    {
        await connection.WatchAsync(path);
        while (true)
        {
            if (await connection.ReadAsync(path) is { } value)
            {
                return value;
            }

            await connection.NextChangeAsync();
        }
    }

    private async Task<int> WriteAsync(QubesDbConnection connection)
    {
        if (_options.Arguments.Count % 2 != 0)
        {
            return await FailAsync("Invalid number of parameters");
        }

        int status = 0;
        foreach (string[] pair in _options.Arguments.Chunk(2))
        {
            try
            {
                byte[] value = Encoding.UTF8.GetBytes(pair[1]);
                if (value.Length > QubesDbEntry.MaxValueLength)
                {
                    throw new IOException("too long");
                }

                await connection.WriteAsync(pair[0], value);
            }
            catch (IOException)
            {
                status = await FailAsync($"Failed to write {pair[0]}");
            }
        }

        return status;
    }

    private async Task<int> EachAsync(Func<string, Task> action, string verb)
    {
        int status = 0;
        foreach (string path in _options.Arguments)
        {
            try
            {
                await action(path);
            }
            catch (IOException)
            {
                status = await FailAsync($"Failed to {verb} {path}");
            }
        }

        return status;
    }

    private async Task MultiReadAsync(QubesDbConnection connection, string prefix)
    {
        foreach (QubesDbEntry entry in await connection.ReadAllAsync(prefix, withValues: true))
        {
            await PrintAsync(Shown(entry.Path, prefix) + " = ", entry.Value);
        }
    }

    private async Task<int> ListAsync(QubesDbConnection connection)
    {
        if (_options.Arguments is not [string prefix])
        {
            return await FailAsync("LIST command accept only one path");
        }

        foreach (QubesDbEntry entry in await connection.ReadAllAsync(prefix, withValues: false))
        {
            await PrintLineAsync(Shown(entry.Path, prefix));
        }

        return 0;
    }

    private async Task<int> WatchAsync(QubesDbConnection connection)
    {
        foreach (string path in _options.Arguments)
        {
            await connection.WatchAsync(path);
        }

        // A negative count never comes to zero.
        for (int left = _options.Arguments.Count == 0 ? 0 : _options.WatchCount; left != 0; left--)
        {
            await PrintLineAsync(await connection.NextChangeAsync());
        }

        return 0;
    }

    private string Shown(string path, string prefix) => _options.WithFullPaths ? path : path[prefix.Length..];

    private async Task PrintAsync(string before, byte[] value)
    {
        await _output.WriteAsync(Encoding.UTF8.GetBytes(before));
        await _output.WriteAsync(_options.IsRaw ? value : Escaped(value));
        await PrintLineAsync("");
    }

    // At once: whoever reads the changes of a watch waits for each.
    private async Task PrintLineAsync(string line)
    {
        await _output.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"));
        await _output.FlushAsync();
    }

    private static byte[] Escaped(byte[] value)
    {
        StringBuilder text = new(value.Length);
        foreach (byte b in value)
        {
            _ = b is >= 0x20 and < 0x80 ? text.Append((char)b) : text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\x{b:x2}");
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private async Task<int> FailAsync(string text)
    {
        if (!_options.IsQuiet)
        {
            await _error.WriteLineAsync(text);
        }

        return Failed;
    }
}
