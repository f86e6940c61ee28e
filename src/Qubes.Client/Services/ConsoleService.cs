using System.Text;
using Qubes.Client.Transport;
using Qubes.Linux;

namespace Qubes.Client.Services;

/// <summary>
/// The service <c>admin.vm.Console</c>: the daemon says which terminal device is a qube's console; this program connects the caller
/// to it, one caller at a time.
/// </summary>
/// <param name="transport">The daemon's socket, on behalf of the caller.</param>
/// <param name="destination">The qube.</param>
/// <param name="runDirectory">Where the locks of consoles are.</param>
public sealed class ConsoleService(IAdminTransport transport, string destination, string runDirectory)
{
    /// <summary>The exit status when somebody else has the console.</summary>
    public const int InUse = 200;

    private const int Refused = 1;
    private const string NoConsole = "2\0QubesException\0\0The qube has no console\0";

    /// <summary>Runs the service until either side ends.</summary>
    /// <param name="input">What the caller types.</param>
    /// <param name="output">Gets what the console shows, or the daemon's refusal.</param>
    /// <param name="cancellation">Ends the connection.</param>
    /// <returns>The exit status.</returns>
    public async Task<int> RunAsync(Stream input, Stream output, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        ReadOnlyMemory<byte> reply = await transport.SendAsync(new AdminCall(destination, "admin.vm.Console"), cancellation);
        if (!reply.Span.StartsWith("0\0"u8) || reply.Length == 2)
        {
            await output.WriteAsync(reply.Length == 2 ? Encoding.ASCII.GetBytes(NoConsole) : reply, cancellation);
            return Refused;
        }

        // The daemon knows a qube of this name, so the name is a valid one and no path.
        using FileStream? held = TryLock(Path.Combine(runDirectory, destination + ".terminal.lock"));
        if (held is null)
        {
            return InUse;
        }

        await using DeviceStream console = DeviceStream.Open(Encoding.UTF8.GetString(reply.Span[2..]));
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task typed = CopyAsync(input, console, ended.Token);
        Task shown = CopyAsync(console, output, ended.Token);
        await Task.WhenAny(typed, shown);
        await ended.CancelAsync();
        return 0;
    }

    private static async Task CopyAsync(Stream from, Stream to, CancellationToken cancellation)
    {
        byte[] buffer = new byte[4096];
        try
        {
            // Flushed after each piece: somebody waits for every character.
            while (await from.ReadAsync(buffer, cancellation) is var count and > 0)
            {
                await to.WriteAsync(buffer.AsMemory(0, count), cancellation);
                await to.FlushAsync(cancellation);
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The qube stopped, the caller hung up, or the other direction has ended.
        }
    }

    /// <summary>Null when another process holds it.</summary>
    private static FileStream? TryLock(string path)
    {
        const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        try
        {
            // This sharing mode is an exclusive advisory lock. In a directory shared by several users the kernel lets nobody create
            // what is there, not even root: so what is there is opened only.
            if (File.Exists(path))
            {
                return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            }

            FileStream made = new(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            File.SetUnixFileMode(made.SafeFileHandle, OwnerAndGroup);
            return made;
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }
}
