using System.Text;
using Qubes.Extensions.OutOfProcess.Configuration;
using Qubes.Model.Classes;
using Qubes.Model.Properties;

namespace Qubes.Extensions.Tests.OutOfProcess;

public sealed class QubeClassFileTests
{
    [Fact]
    public void A_class_is_as_its_file_says()
    {
        QubeClass parsed = Assert.Single(Parse("""
            {"classes": [{"name": "KioskVM", "base": "TemplateVM",
              "properties": [
                {"name": "a", "type": "str", "default": "", "help": "A."},
                {"name": "b", "type": "int", "default": -3, "min": -3, "max": 7, "help": "B.", "write_once": true, "clone": false},
                {"name": "c", "type": "bool", "default": true, "help": "C."},
                {"name": "d", "type": "vm", "help": "D."}],
              "new": {"properties": {"a": "x", "netvm": ""}, "features": {"f": "1"}, "tags": ["t"]}}]}
            """));
        Assert.Equal(("KioskVM", QubeClasses.TemplateVM, "KioskVM"), (parsed.Name, parsed.Root, parsed.Emitter.Name));
        Assert.Equal(
            ["a str True False", "b int False True", "c bool True False", "d vm True False"],
            parsed.Properties.InListOrder.Where(p => p.Name.Length == 1).Select(p => $"{p.Name} {p.TypeWord} {p.Clone} {p.WriteOnce}").Order(StringComparer.Ordinal));
        Assert.Equal(PropertyStage.References, parsed.Properties.InListOrder.Single(p => p.Name == "d").Stage);
        Assert.Equal([("a", "x"), ("netvm", "")], parsed.Content.Properties.Select(p => (p.Property.Name, p.Value!.ToString()!)));
        Assert.Equal(("f", "1"), (parsed.Content.Features[0].Name.Value, parsed.Content.Features[0].Value));
        Assert.Equal("t", parsed.Content.Tags[0].Value);
    }

    [Theory]
    [InlineData("[", "line 1: not JSON")]
    [InlineData("{}", "no classes")]
    [InlineData("""{"classes": {}}""", "'classes' must be a list of at most 16")]
    [InlineData("""{"classes": [{"base": "AppVM"}]}""", "'name' is missing")]
    [InlineData("""{"classes": [{"name": "kioskVM", "base": "AppVM"}]}""", "the name of a class is a capital letter, then letters and digits, 31 at most")]
    [InlineData("""{"classes": [{"name": "K-M", "base": "AppVM"}]}""", "the name of a class is a capital letter, then letters and digits, 31 at most")]
    [InlineData("""{"classes": [{"name": "AppVM", "base": "AppVM"}]}""", "class AppVM is the daemon's")]
    [InlineData("""{"classes": [{"name": "K", "base": "AdminVM"}]}""", "class K: 'base' must be one of AppVM, DispVM, StandaloneVM, TemplateVM")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM"}, {"name": "K", "base": "DispVM"}]}""", "class K is there twice")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "properties": [{"name": "A", "help": "", "type": "str", "default": ""}]}]}""", "class K: the name of a property is a small letter, then small letters, digits and '_', 31 at most")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "properties": [{"name": "memory", "help": "", "type": "str", "default": ""}]}]}""", "class K: there is a property 'memory' already")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "properties": [{"name": "a", "help": "", "type": "date"}]}]}""", "class K: property 'a': 'type' must be str, int, bool or vm")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "properties": [{"name": "a", "help": "", "type": "int"}]}]}""", "class K: property 'a': 'default' is missing")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "properties": [{"name": "a", "help": "", "type": "bool"}]}]}""", "class K: property 'a': 'default' is missing")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "properties": [{"name": "a", "help": "", "type": "int", "min": 2, "default": 1}]}]}""", "class K: 'default' must be a number from 2 to 2147483647")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "properties": [{"name": "a", "help": "", "type": "str", "values": ["x"], "default": "y"}]}]}""", "class K: property 'a': the default is none of the values")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "properties": [{"name": "a", "help": "", "type": "vm", "default": "dom0"}]}]}""", "class K: property 'a': a qube has no default")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "properties": [{"name": "a", "type": "vm"}]}]}""", "class K: 'help' is missing")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "new": {"properties": {"qid": "7"}}}]}""", "class K: new qubes cannot be given the property 'qid'")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "new": {"properties": {"label": "red"}}}]}""", "class K: new qubes cannot be given the property 'label'")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "new": {"properties": {"none": "1"}}}]}""", "class K: new qubes cannot be given the property 'none'")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "new": {"properties": {"memory": "much"}}}]}""", "class K: ")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "new": {"tags": ["a b"]}}]}""", "class K: ")]
    [InlineData("""{"classes": [{"name": "K", "base": "AppVM", "new": {"features": {"a b": "1"}}}]}""", "class K: ")]
    public void What_is_wrong_is_named(string content, string reason) =>
        Assert.StartsWith(reason, Assert.Throws<ExtensionFormatException>(() => Parse(content)).Message, StringComparison.Ordinal);

    private static IReadOnlyList<QubeClass> Parse(string content) => QubeClassFile.Parse(Encoding.UTF8.GetBytes(content));
}
