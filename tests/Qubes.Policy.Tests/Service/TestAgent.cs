using System.Threading.Channels;
using Qubes.Policy.Prompting;

namespace Qubes.Policy.Tests.Service;

/// <summary>An agent that answers as told and keeps what it was sent.</summary>
internal sealed class TestAgent : ISessionAgent
{
    private readonly Channel<(string GuiVm, string Service, string Json)> _calls = Channel.CreateUnbounded<(string, string, string)>();

    public Func<string, Task<string>> Answer { get; set; } = _ => Task.FromResult("");

    /// <summary>Called when a call is given up.</summary>
    public Action Withdrawn { get; set; } = () => { };

    public async Task<string> CallAsync(string guiVm, string service, string json, CancellationToken cancellationToken)
    {
        _calls.Writer.TryWrite((guiVm, service, json));
        try
        {
            return await Answer(service).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Withdrawn();
            throw;
        }
    }

    public Task<(string GuiVm, string Service, string Json)> NextAsync() =>
        _calls.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    public bool WasCalled => _calls.Reader.TryPeek(out _);
}
