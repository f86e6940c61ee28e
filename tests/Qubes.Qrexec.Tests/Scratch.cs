namespace Qubes.Qrexec.Tests;

/// <summary>A directory of its own for one test, short enough for UNIX socket paths, removed at the end.</summary>
internal sealed class Scratch : IDisposable
{
    public Scratch() => Directory = System.IO.Directory.CreateTempSubdirectory("qr-").FullName;

    public string Directory { get; }

    public string Path(string relative) => System.IO.Path.Combine(Directory, relative);

    /// <summary>Writes a file, making its directories.</summary>
    public string File(string relative, string content, bool executable = false)
    {
        string path = Path(relative);
        System.IO.Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(content));
        if (executable)
        {
            System.IO.File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return path;
    }

    public string Link(string relative, string target)
    {
        string path = Path(relative);
        System.IO.Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        System.IO.File.CreateSymbolicLink(path, target);
        return path;
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}
