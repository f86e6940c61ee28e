using Qvm;
using Qvm.Output;
using Qvm.Tools;

namespace Qubes.Tools.Tests;

public sealed class ManualPageTests
{
    public static TheoryData<string> Tools => [.. ToolRunner.Tools.Select(t => t.Name)];

    /// <summary>Write it again with <c>qvm --man-page TOOL > docs/man/TOOL.1</c>.</summary>
    [Theory]
    [MemberData(nameof(Tools))]
    public void The_manual_page_says_what_the_tool_does_now(string name)
    {
        ITool tool = ToolRunner.Find(name)!;
        Assert.Equal(ManualPage.Of(tool, ToolRunner.Parser(tool)), File.ReadAllText(Path.Combine(Root(), "docs", "man", name + ".1")));
    }

    private static string Root()
    {
        string at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Qubes.slnx")))
        {
            at = Path.GetDirectoryName(at) ?? throw new InvalidOperationException("the repository's root is not above the test's folder");
        }

        return at;
    }
}
