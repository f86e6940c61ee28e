using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>Both ends of a pipe, closed on exec.</summary>
public sealed class AnonymousPipe : IDisposable
{
    private AnonymousPipe(SafePipeHandle reader, SafePipeHandle writer)
    {
        Reader = reader;
        Writer = writer;
    }

    public SafePipeHandle Reader { get; }

    public SafePipeHandle Writer { get; }

    public static unsafe AnonymousPipe Create()
    {
        int* fds = stackalloc int[2];
        if (FileCalls.Pipe2(fds, FileCalls.O_CLOEXEC) != 0)
            throw LinuxException.FromLastError("pipe2");
        return new AnonymousPipe(new SafePipeHandle(fds[0], ownsHandle: true), new SafePipeHandle(fds[1], ownsHandle: true));
    }

    /// <summary>The reading end as an asynchronous stream that owns it.</summary>
    public Stream OpenReader() => new AnonymousPipeClientStream(PipeDirection.In, Reader);

    /// <summary>The writing end as an asynchronous stream that owns it.</summary>
    public Stream OpenWriter() => new AnonymousPipeClientStream(PipeDirection.Out, Writer);

    public void Dispose()
    {
        Reader.Dispose();
        Writer.Dispose();
    }
}
