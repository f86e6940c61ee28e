using System.Text;
using Qubes.Linux;

namespace Qubes.Client.Transport;

/// <summary>A call made by running a program: payload on its standard input, the reply on its standard output.</summary>
internal static class ChildCall
{
    private const int MaxErrorText = 4096;

    /// <summary>Runs the program to its end and returns what it wrote.</summary>
    public static async Task<ReadOnlyMemory<byte>> RunAsync(string program, IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?> environment, ReadOnlyMemory<byte> payload, Stream data, CancellationToken cancellation)
    {
        using AnonymousPipe stderr = AnonymousPipe.Create();
        (ChildProcess child, Stream input, Stream output) = Start(program, arguments, environment, stderr);
        stderr.Writer.Dispose();
        await using (output)
        {
            Task feeding = FeedAsync(input, payload, data, cancellation);
            Task<string> error = ReadErrorAsync(stderr, cancellation);
            using MemoryStream reply = new();
            await output.CopyToAsync(reply, cancellation);
            await feeding;
            ProcessExit exit = await child.Exited.WaitAsync(cancellation);

            // An exception reply comes with a failing exit status from some services; the reply says more.
            return exit.IsSuccess || reply.Length > 0
                ? reply.ToArray()
                : throw ClientErrors.Access($"Service call error: {(await error).Trim()}");
        }
    }

    /// <summary>Starts the program with <paramref name="payload"/> as its whole input; its output is the returned stream.</summary>
    public static async ValueTask<Stream> OpenAsync(string program, IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?> environment, ReadOnlyMemory<byte> payload, CancellationToken cancellation)
    {
        (_, Stream input, Stream output) = Start(program, arguments, environment, standardError: null);
        await FeedAsync(input, payload, Stream.Null, cancellation);
        return output;
    }

    private static (ChildProcess Child, Stream Input, Stream Output) Start(string program, IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?> environment, AnonymousPipe? standardError)
    {
        AnonymousPipe stdin = AnonymousPipe.Create();
        AnonymousPipe stdout = AnonymousPipe.Create();
        try
        {
            ChildProcess child = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = program,
                Arguments = arguments,
                EnvironmentChanges = environment,
                StandardInput = stdin.Reader,
                StandardOutput = stdout.Writer,
                StandardError = standardError?.Writer,
            });
            stdin.Reader.Dispose();
            stdout.Writer.Dispose();
            return (child, stdin.OpenWriter(), stdout.OpenReader());
        }
        catch (LinuxException e)
        {
            stdin.Dispose();
            stdout.Dispose();
            throw ClientErrors.Communication($"Failed to run {program}: {e.Message}");
        }
    }

    private static async Task FeedAsync(Stream input, ReadOnlyMemory<byte> payload, Stream data, CancellationToken cancellation)
    {
        await using (input)
        {
            try
            {
                await input.WriteAsync(payload, cancellation);
                await data.CopyToAsync(input, 128 * 1024, cancellation);
            }
            catch (IOException)
            {
                // The program has its reason not to read on; it is in its reply.
            }
        }
    }

    private static async Task<string> ReadErrorAsync(AnonymousPipe pipe, CancellationToken cancellation)
    {
        await using Stream reader = pipe.OpenReader();
        using MemoryStream text = new();
        byte[] buffer = new byte[MaxErrorText];
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellation)) > 0)
        {
            text.Write(buffer, 0, (int)Math.Min(read, MaxErrorText - text.Length));
        }

        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }
}
