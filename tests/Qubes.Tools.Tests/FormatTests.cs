using Qvm.Output;
using Qvm.Tools;
using Qvm.Tools.Running;

namespace Qubes.Tools.Tests;

public sealed class FormatTests
{
    [Fact]
    public void Tables_are_laid_out_as_column_does()
    {
        string[][] rows = [["NAME", "STATE", "X"], ["a", "Running", "long cell"], ["bcdefg", ""], ["two\nlines", "b"]];
        Assert.Equal("NAME    STATE    X\na       Running  long cell\nbcdefg           \ntwo              \nlines   b        \n", Table.Format(rows));
        Assert.Equal("", Table.Format([]));
    }

    [Theory]
    [InlineData("*", "anything", true)]
    [InlineData("w*k", "work", true)]
    [InlineData("w*k", "works", false)]
    [InlineData("sys-?", "sys-a", true)]
    [InlineData("sys-?", "sys-ab", false)]
    [InlineData("[a-c]x", "bx", true)]
    [InlineData("[!a-c]x", "bx", false)]
    [InlineData("[]]x", "]x", true)]
    [InlineData("[ab", "[ab", true)]
    [InlineData("Work", "work", false)]
    public void Patterns_match_as_in_a_shell(string pattern, string name, bool expected) =>
        Assert.Equal(expected, ShellPattern.Matches(pattern, name));

    [Fact]
    public void Words_are_encoded_for_the_exec_service() =>
        Assert.Equal("ls+--la+a-20b-2Fc_d.e+-C3-A9", VmExecEncoding.Encode(["ls", "-la", "a b/c_d.e", "é"]));

    [Fact]
    public void Words_are_quoted_for_a_shell() =>
        Assert.Equal("ls 'a b' 'it'\"'\"'s' ''", ShellQuoting.Join(["ls", "a b", "it's", ""]));
}
