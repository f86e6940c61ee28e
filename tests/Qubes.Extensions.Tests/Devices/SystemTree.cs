namespace Qubes.Extensions.Tests.Devices;

/// <summary>A scratch <c>/sys</c> and <c>/proc</c>.</summary>
internal sealed class SystemTree : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-sys-").FullName;

    public SystemTree()
    {
        Directory.CreateDirectory(Path.Combine(Sys, "class/block"));
        Directory.CreateDirectory(Path.Combine(Sys, "bus/pci/devices"));
        Directory.CreateDirectory(Path.Combine(Sys, "bus/usb/devices"));
        Directory.CreateDirectory(Path.Combine(Proc, "self"));
    }

    public string Sys => Path.Combine(_directory, "sys");

    public string Proc => Path.Combine(_directory, "proc");

    /// <summary>A device below <c>/sys/devices</c>, linked from a directory of links.</summary>
    public void Device(string path, string links, params (string File, string Content)[] files)
    {
        string device = Directory.CreateDirectory(Path.Combine(Sys, "devices", path)).FullName;
        foreach ((string file, string content) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(device, file))!);
            Put(Path.Combine(device, file), content + "\n");
        }

        File.CreateSymbolicLink(Path.Combine(Sys, links, Path.GetFileName(path)), device);
    }

    public void Block(string path, params (string File, string Content)[] files) => Device(path, "class/block", files);

    public void Write(string file, string content) => Put(Path.Combine(Proc, file), content);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static void Put(string path, string content)
    {
        using StreamWriter file = File.CreateText(path);
        file.Write(content);
    }
}
