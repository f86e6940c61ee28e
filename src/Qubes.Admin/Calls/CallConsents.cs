using System.Text;
using Qubes.Model.Events;
using Qubes.Protocol.Events;

namespace Qubes.Admin.Calls;

/// <summary>
/// What extensions that are programs of their own have said about one call. Permission is asked in the middle of handlers that do
/// not wait: where an answer is missing the handler is left by a <see cref="ConsentPendingException"/> (nothing has been done
/// before permission is asked), the question is put, and the handler runs again from its beginning.
/// </summary>
internal sealed class CallConsents
{
    private readonly Dictionary<string, IReadOnlyList<Func<string, bool>>> _given = new(StringComparer.Ordinal);

    /// <summary>Adds the filters of the answer to the event.</summary>
    /// <exception cref="ConsentPendingException">There is no answer yet.</exception>
    public void Require(QubesEvent permission)
    {
        string question = QuestionOf(permission);
        if (!_given.TryGetValue(question, out IReadOnlyList<Func<string, bool>>? filters))
        {
            throw new ConsentPendingException(permission, question);
        }

        foreach (Func<string, bool> filter in filters)
        {
            AdminFilter adapted = item => filter(AdminItem.NameOf(item));
            permission.AddResult(adapted);
        }
    }

    public void Give(string question, IReadOnlyList<Func<string, bool>> filters) => _given[question] = filters;

    // What the model says may differ when the handler runs again: then it is another question.
    private static string QuestionOf(QubesEvent permission)
    {
        StringBuilder text = new(permission.Name);
        foreach ((string key, object? value) in permission.Arguments.Items)
        {
            text.Append('\0').Append(key).Append('=').Append(EventValue.ToText(value));
        }

        return text.ToString();
    }
}
