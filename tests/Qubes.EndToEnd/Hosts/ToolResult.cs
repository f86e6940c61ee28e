namespace Qubes.EndToEnd.Hosts;

/// <summary>What a tool said and how it ended.</summary>
public sealed record ToolResult(string Command, int Status, string Output, string Error)
{
    /// <summary>Fails the test unless the tool ended with <paramref name="status"/>.</summary>
    public ToolResult Expect(int status = 0)
    {
        Assert.True(Status == status, $"{Command}: status {Status} instead of {status}\n--- output\n{Output}\n--- error\n{Error}");
        return this;
    }
}
