using System.Runtime.InteropServices;

// libvirt comes from the system's library path, never from the folder of the program.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
