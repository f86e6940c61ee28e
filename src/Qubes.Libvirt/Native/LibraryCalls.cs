using System.Runtime.InteropServices;

namespace Qubes.Libvirt.Native;

/// <summary>libvirt: the library as a whole, errors, and the built-in event loop. Raw: callers check results.</summary>
internal static unsafe partial class LibraryCalls
{
    internal const string Library = "libvirt.so.0";

    [LibraryImport(Library, EntryPoint = "virInitialize")]
    internal static partial int Initialize();

    [LibraryImport(Library, EntryPoint = "virGetVersion")]
    internal static partial int GetVersion(ulong* libraryVersion, nint type, ulong* typeVersion);

    [LibraryImport(Library, EntryPoint = "virSetErrorFunc")]
    internal static partial void SetErrorFunction(nint userData, delegate* unmanaged<nint, nint, void> handler);

    /// <summary>The calling thread's last error, or null. It belongs to libvirt and is overwritten by the next call.</summary>
    [LibraryImport(Library, EntryPoint = "virGetLastError")]
    internal static partial Error* GetLastError();

    [LibraryImport(Library, EntryPoint = "virResetLastError")]
    internal static partial void ResetLastError();

    [LibraryImport(Library, EntryPoint = "virEventRegisterDefaultImpl")]
    internal static partial int EventRegisterDefaultImplementation();

    [LibraryImport(Library, EntryPoint = "virEventRunDefaultImpl")]
    internal static partial int EventRunDefaultImplementation();

    /// <summary><c>free</c>: strings and arrays that libvirt hands over are the C library's.</summary>
    internal static void Free(void* memory) => NativeMemory.Free(memory);

    /// <summary><c>struct _virError</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Error
    {
        public int Code;
        public int Domain;
        public byte* Message;
        public int Level;
        public nint Connection;
        public nint DomainObject;
        public byte* String1;
        public byte* String2;
        public byte* String3;
        public int Int1;
        public int Int2;
        public nint Network;
    }
}
