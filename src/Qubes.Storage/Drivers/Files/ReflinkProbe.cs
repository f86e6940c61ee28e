using Microsoft.Win32.SafeHandles;
using Qubes.Linux;

namespace Qubes.Storage;

/// <summary>Finds out by trying whether files of a directory can share blocks.</summary>
internal static class ReflinkProbe
{
    public static bool Works(RootedDirectory directory)
    {
        string name = $".reflink-probe~{KernelRandom.HexString(8)}";
        string copy = name + "-copy";
        try
        {
            using SafeFileHandle source = directory.Create(name);
            using SafeFileHandle target = directory.Create(copy);
            RandomAccess.Write(source, new byte[4096], 0);
            return FileContent.TryClone(source, target);
        }
        finally
        {
            directory.Remove(name);
            directory.Remove(copy);
        }
    }
}
