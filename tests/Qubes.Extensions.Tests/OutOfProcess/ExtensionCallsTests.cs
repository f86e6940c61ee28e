using Qubes.Extensions.OutOfProcess.Calls;

namespace Qubes.Extensions.Tests.OutOfProcess;

public sealed class ExtensionCallsTests
{
    [Fact]
    public async Task Every_call_has_its_line_in_the_documentation()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Qubes.slnx")))
        {
            directory = directory.Parent;
        }

        string text = await File.ReadAllTextAsync(Path.Combine(directory!.FullName, "docs", "extensions.md"));
        Assert.All(ExtensionCalls.Names, name => Assert.Contains($"`{name}`", text, StringComparison.Ordinal));
    }
}
