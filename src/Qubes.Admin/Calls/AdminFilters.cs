using Qubes.Model.Events;

namespace Qubes.Admin.Calls;

/// <summary>The filters all handlers of one permission event gave. None, as for most callers, lets everything pass.</summary>
public readonly struct AdminFilters
{
    private readonly IReadOnlyList<object>? _results;

    internal AdminFilters(QubesEvent? permission) => _results = permission is { Results.Count: > 0 } ? permission.Results : null;

    public bool AllowsAll => _results is null;

    /// <summary>True if every filter lets the item pass.</summary>
    public bool Allows(object item)
    {
        if (_results is null)
        {
            return true;
        }

        foreach (object result in _results)
        {
            if (result is AdminFilter filter && !filter(item))
            {
                return false;
            }
        }

        return true;
    }
}
