using Qubes.Admin.Calls;

namespace Qubes.Admin.Methods;

/// <summary>As <see cref="AdminHandler"/>, for a call that is answered at once.</summary>
public delegate void AdminAnswer(AdminCall call);
