using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Qubes.Libvirt.Native;

namespace Qubes.Libvirt;

/// <summary>The one place where libvirt's error of the calling thread becomes an exception.</summary>
internal static unsafe class Check
{
    /// <summary>Most calls: -1 is failure.</summary>
    internal static int Result(int result, string call)
    {
        if (result < 0)
            Throw(call);
        return result;
    }

    internal static T Handle<T>(T handle, string call) where T : SafeHandle
    {
        if (!handle.IsInvalid)
            return handle;
        handle.Dispose();
        Throw(call);
        return handle;
    }

    /// <summary>Like <see cref="Handle"/>, but null when the error is that there is no such domain.</summary>
    internal static T? HandleOrAbsent<T>(T handle, string call) where T : SafeHandle
    {
        if (!handle.IsInvalid)
            return handle;
        handle.Dispose();
        var error = LibraryCalls.GetLastError();
        if (error != null && error->Code == (int)LibvirtError.NoDomain)
            return null;
        Throw(call);
        return null;
    }

    /// <summary>Copies and frees a string that the library handed over.</summary>
    internal static string OwnedString(byte* text, string call)
    {
        if (text == null)
            Throw(call);
        try
        {
            return Marshal.PtrToStringUTF8((nint)text) ?? "";
        }
        finally
        {
            LibraryCalls.Free(text);
        }
    }

    [DoesNotReturn]
    private static void Throw(string call)
    {
        var error = LibraryCalls.GetLastError();
        if (error == null)
            throw new LibvirtException(call, LibvirtError.Internal, $"{call} failed without a reason");
        throw new LibvirtException(call, (LibvirtError)error->Code,
            Marshal.PtrToStringUTF8((nint)error->Message) ?? call, Marshal.PtrToStringUTF8((nint)error->String2));
    }
}
