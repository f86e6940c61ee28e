namespace Qubes.Policy.Prompting;

/// <summary>The program in a person's session that asks and tells them, reached by calling a service in their GUI qube.</summary>
public interface ISessionAgent
{
    /// <summary>
    /// Calls <paramref name="service"/> (such as <c>policy.Ask</c>) in <paramref name="guiVm"/> with a JSON document as its input, and
    /// returns what it answers. Any exception counts as a refusal.
    /// </summary>
    Task<string> CallAsync(string guiVm, string service, string json, CancellationToken cancellationToken);
}
