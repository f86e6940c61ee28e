using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Qubes.Admin.Server;

namespace Qubes.Admin.Methods;

/// <summary>
/// Every call of the API, by name. Dispatch, permission events, default policy, documentation and the test that each call has
/// a test of its own all come from these rows.
/// </summary>
public sealed class AdminMethodTable
{
    private const int LongestName = 128;
    private readonly FrozenDictionary<string, AdminMethod> _byName;
    private readonly FrozenDictionary<string, AdminMethod>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <param name="rows">One row a call; names are unique.</param>
    public AdminMethodTable(params IEnumerable<AdminMethod> rows)
    {
        All = [.. rows.OrderBy(m => m.Name, StringComparer.Ordinal)];
        _byName = All.ToFrozenDictionary(m => m.Name, StringComparer.Ordinal);
        if (_byName.Count != All.Count)
        {
            throw new ArgumentException("Two rows have the same name", nameof(rows));
        }

        _lookup = _byName.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>By name.</summary>
    public IReadOnlyList<AdminMethod> All { get; }

    /// <summary>Finds a call by the name in a request. A call of another socket does not exist on this one.</summary>
    public bool TryFind(ReadOnlySpan<byte> untrustedName, AdminSocketKind socket, [NotNullWhen(true)] out AdminMethod? method)
    {
        method = null;
        if (untrustedName.Length > LongestName)
        {
            return false;
        }

        Span<char> name = stackalloc char[LongestName];
        int length = Encoding.ASCII.GetChars(untrustedName, name);
        return _lookup.TryGetValue(name[..length], out method) && method.Socket == socket;
    }
}
