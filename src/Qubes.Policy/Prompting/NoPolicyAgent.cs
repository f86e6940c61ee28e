namespace Qubes.Policy.Prompting;

/// <summary>For a system without a desktop: nobody can be asked, so what would be asked is refused.</summary>
public sealed class NoPolicyAgent : IPolicyAgent
{
    private NoPolicyAgent()
    {
    }

    /// <summary>The one instance.</summary>
    public static NoPolicyAgent Instance { get; } = new();

    /// <inheritdoc/>
    public Task<string> CallAsync(string guiVm, string service, string json, CancellationToken cancellationToken) =>
        Task.FromException<string>(new IOException("there is no policy agent"));
}
