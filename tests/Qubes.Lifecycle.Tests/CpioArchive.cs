using System.Globalization;
using System.Text;

namespace Qubes.Lifecycle.Tests;

/// <summary>Writes what the kernel takes as its first file system.</summary>
internal sealed class CpioArchive
{
    private const int Executable = 0x81ED; // a regular file, 0755
    private const int Directory = 0x41ED;

    private readonly List<byte> _bytes = [];
    private int _inode = 1;

    public CpioArchive AddDirectory(string name) => Add(name, [], Directory);

    public CpioArchive AddProgram(string name, byte[] content) => Add(name, content, Executable);

    public byte[] Finish()
    {
        Add("TRAILER!!!", [], 0);
        return [.. _bytes];
    }

    // "070701", thirteen numbers of eight hex digits, the name with a zero byte, the content; both padded to four bytes
    private CpioArchive Add(string name, byte[] content, int mode)
    {
        int[] fields = [_inode++, mode, 0, 0, 1, 0, content.Length, 0, 0, 0, 0, name.Length + 1, 0];
        _bytes.AddRange(Encoding.ASCII.GetBytes("070701" + string.Concat(fields.Select(f => f.ToString("X8", CultureInfo.InvariantCulture)))));
        _bytes.AddRange(Encoding.ASCII.GetBytes(name + "\0"));
        Pad();
        _bytes.AddRange(content);
        Pad();
        return this;
    }

    private void Pad() => _bytes.AddRange(new byte[(4 - (_bytes.Count % 4)) % 4]);
}
