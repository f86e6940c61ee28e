namespace Qubes.Admin.Calls;

/// <summary>
/// What a handler of the permission event of a listing call adds to the event's results: whether the caller may see an
/// item. What the items are is the call's: qubes, properties, tag names, events, …
/// </summary>
public delegate bool AdminFilter(object item);
