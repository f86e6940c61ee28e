using System.Diagnostics.CodeAnalysis;
using System.Text;
using Qubes.Admin.Methods.Families;
using Qubes.Model;

namespace Qubes.Admin.Methods;

/// <summary>The calls of device classes that extensions bring: they exist while the class has a source. Belongs to the model loop.</summary>
internal sealed class DeviceClassMethods(QubesApp app)
{
    private const int LongestName = 128;
    private readonly Dictionary<string, AdminMethod> _byName = new(StringComparer.Ordinal);

    public bool TryFind(ReadOnlySpan<byte> untrustedName, [NotNullWhen(true)] out AdminMethod? method)
    {
        method = null;
        if (untrustedName.Length > LongestName || !untrustedName.StartsWith("admin.vm.device."u8))
        {
            return false;
        }

        string name = Encoding.ASCII.GetString(untrustedName);
        int end = name.IndexOf('.', DeviceMethods.Prefix.Length);
        if (end < 0 || app.Devices.Find(name[DeviceMethods.Prefix.Length..end]) is not { } source)
        {
            return false;
        }

        if (!_byName.TryGetValue(name, out method))
        {
            foreach (AdminMethod row in DeviceMethods.OfClass(source.DeviceClass))
            {
                _byName[row.Name] = row;
            }
        }

        return method is not null || _byName.TryGetValue(name, out method);
    }
}
