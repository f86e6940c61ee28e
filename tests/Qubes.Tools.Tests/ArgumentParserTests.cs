using CsCheck;
using Qvm;
using Qvm.CommandLine;
using Qvm.Output;
using Qvm.Tools;

namespace Qubes.Tools.Tests;

public sealed class ArgumentParserTests
{
    private readonly ArgumentParser _parser = new();

    public ArgumentParserTests()
    {
        _parser.Flag("--force -f", "force", "");
        _parser.Flag("--wait -w", "wait", "");
        _parser.Option("--label -l", "label", "");
        _parser.Option("--labels", "labels", "", Arity.OneOrMore);
        _parser.Positional("VM", "vm", "");
        _parser.Positional("REST", "rest", "", Arity.Any);
    }

    [Theory]
    [InlineData("--label red x")]
    [InlineData("--label=red x")]
    [InlineData("-l red x")]
    [InlineData("-lred x")]
    [InlineData("x -fwl red")]
    public void All_spellings_of_an_option_mean_the_same(string line)
    {
        ParsedArguments parsed = Parse(line);
        Assert.Equal("red", parsed.Last("label"));
        Assert.Equal("x", parsed.Last("vm"));
    }

    [Fact]
    public void A_long_option_may_be_abbreviated_while_it_is_clear()
    {
        Assert.True(Parse("--fo x").Has("force"));
        Assert.Equal("ambiguous option: --labe could match --label, --labels", Fails("--labe red x"));
        Assert.Equal("red", Parse("--label red x").Last("label"));
    }

    [Fact]
    public void Options_and_names_mix_and_dashes_end_options()
    {
        Assert.Equal(["b", "-f"], Parse("a --wait b -- -f").All("rest"));
        Assert.Equal(["-5", "-"], Parse("a -5 -").All("rest"));
    }

    [Theory]
    [InlineData("", "the following arguments are required: VM")]
    [InlineData("x --label", "argument --label/-l: expected one argument")]
    [InlineData("x --force=1", "argument --force/-f: ignored explicit argument '1'")]
    [InlineData("x --nope", "unrecognized arguments: --nope")]
    [InlineData("x -fz", "unrecognized arguments: -fz")]
    public void Mistakes_are_named(string line, string message) => Assert.Equal(message, Fails(line));

    [Fact]
    public void A_remainder_takes_options_too()
    {
        ArgumentParser run = ToolRunner.Parser(new RunTool());
        ParsedArguments parsed = run.Parse(["-p", "work", "ls", "-a", "--", "x"]);
        Assert.True(parsed.Has("pass-io"));
        Assert.Equal("ls", parsed.Last("command"));
        Assert.Equal(["-a", "--", "x"], parsed.All("words"));
        Assert.Equal("-a", run.Parse(["work", "--", "-a"]).Last("command"));
    }

    [Fact]
    public void Any_words_are_parsed_or_refused_by_name() =>
        Gen.OneOf(Gen.String[Gen.Char["-fwl= x"], 0, 6], Gen.Const("--"), Gen.Const("--label"), Gen.Const("--labels")).List[0, 8].Sample(words =>
        {
            try
            {
                _ = _parser.Parse(words);
            }
            catch (UsageException)
            {
            }
        });

    [Fact]
    public void Every_tool_has_help_and_a_manual_page_that_name_each_option()
    {
        foreach (ITool tool in ToolRunner.Tools)
        {
            ArgumentParser parser = ToolRunner.Parser(tool);
            string help = HelpText.Help(tool.Name, tool.Summary, parser);
            string page = ManualPage.Of(tool, parser).Replace("\\-", "-", StringComparison.Ordinal);
            foreach (Argument option in parser.Options.Where(o => !o.IsHidden))
            {
                Assert.Contains(option.Names[0], help, StringComparison.Ordinal);
                Assert.Contains(option.Names[0], page, StringComparison.Ordinal);
                Assert.NotEmpty(option.Help);
            }
        }
    }

    private ParsedArguments Parse(string line) => _parser.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private string Fails(string line) => Assert.Throws<UsageException>(() => Parse(line)).Message;
}
