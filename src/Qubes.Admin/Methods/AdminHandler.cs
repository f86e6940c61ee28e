using Qubes.Admin.Calls;

namespace Qubes.Admin.Methods;

/// <summary>
/// What a call does. Runs on the model loop; writes its result into <see cref="AdminCall.Reply"/>; asks
/// <see cref="AdminCall.Permit"/> before it acts or tells anything.
/// </summary>
public delegate ValueTask AdminHandler(AdminCall call);
