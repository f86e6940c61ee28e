using System.Diagnostics.CodeAnalysis;
using Qubes.Model.Events;

namespace Qubes.Admin.Calls;

/// <summary>A handler cannot go on before extensions were asked, see <see cref="CallConsents"/>. Caught by the dispatcher only.</summary>
[SuppressMessage("Design", "CA1064:Exceptions should be public", Justification = "It never leaves the dispatcher.")]
internal sealed class ConsentPendingException(QubesEvent permission, string question) : Exception("extensions have to be asked first")
{
    public QubesEvent Permission { get; } = permission;

    public string Question { get; } = question;
}
