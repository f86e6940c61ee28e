using System.Text;
using CsCheck;
using Qubes.Extensions.OutOfProcess.Configuration;

namespace Qubes.Extensions.Tests.OutOfProcess;

public sealed class ExtensionFileTests
{
    [Fact]
    public void Every_key_has_its_effect()
    {
        ExtensionDefinition definition = Parse("""
            # Watches over starts.
            program  = /usr/lib/qubes/guard
              argument = --level = 3
            argument=second

            required = domain-pre-start
            required = admin-permission:admin.vm.Create.*
            deadline = 500
            storage_deadline = 3600000
            enabled = no
            """);
        Assert.Equal(("guard", "/usr/lib/qubes/guard", TimeSpan.FromMilliseconds(500), false),
            (definition.Name, definition.Program, definition.Deadline, definition.IsEnabled));
        Assert.Equal(TimeSpan.FromHours(1), definition.StorageDeadline);
        Assert.Equal(["--level = 3", "second"], definition.Arguments);
        Assert.Equal(["domain-pre-start", "admin-permission:admin.vm.Create.*"], definition.Required.Select(p => p.ToString()));
    }

    [Fact]
    public void What_is_not_said_has_a_default()
    {
        ExtensionDefinition definition = Parse("program = /x");
        Assert.Equal((true, TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(1)), (definition.IsEnabled, definition.Deadline, definition.StorageDeadline));
        Assert.Empty(definition.Arguments);
        Assert.Empty(definition.Required);
    }

    [Theory]
    [InlineData("", "no program")]
    [InlineData("storage_deadline = 999", "line 1: storage_deadline must be 1000 to 3600000 milliseconds")]
    [InlineData("storage_deadline = 5000\nstorage_deadline = 5000", "line 2: storage_deadline is given twice")]
    [InlineData("program = x", "line 1: program must be an absolute path")]
    [InlineData("program = /x\nprogram = /y", "line 2: program is given twice")]
    [InlineData("program = /x\nprogramm = /y", "line 2: unknown key")]
    [InlineData("program", "line 1: expected KEY = VALUE")]
    [InlineData("deadline = 9", "line 1: deadline must be 10 to 30000 milliseconds")]
    [InlineData("deadline = 30001", "line 1: deadline must be 10 to 30000 milliseconds")]
    [InlineData("deadline = -1", "line 1: deadline must be 10 to 30000 milliseconds")]
    [InlineData("enabled = true", "line 1: enabled must be yes or no")]
    [InlineData("argument = a\u0001b", "line 1: the value is too long or has a control character")]
    [InlineData("required = ", "line 1: an event's name is 1 to 128 printable ASCII characters")]
    public void What_is_wrong_is_named_with_its_line(string content, string reason) =>
        Assert.Equal(reason, Assert.Throws<ExtensionFormatException>(() => Parse(content)).Message);

    [Theory]
    [InlineData("property-pre-set:memory")]
    [InlineData("domain-*")]
    [InlineData("domain-paused")]
    public void Consent_is_required_only_where_the_daemon_can_wait_for_it(string name) => Assert.StartsWith(
        "line 1: the daemon does not wait at this event",
        Assert.Throws<ExtensionFormatException>(() => Parse("required = " + name)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("Guard")]
    [InlineData("1guard")]
    [InlineData("")]
    [InlineData("a.b")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void A_name_is_small_letters_digits_and_hyphens(string name) =>
        Assert.Throws<ExtensionFormatException>(() => ExtensionFile.Parse(name, "program = /x"u8));

    [Fact]
    public void Too_many_and_too_much_are_refused()
    {
        Assert.Throws<ExtensionFormatException>(() => Parse("program = /x\n" + string.Concat(Enumerable.Repeat("argument = a\n", 65))));
        Assert.Throws<ExtensionFormatException>(() => Parse("argument = " + new string('x', 4097)));
        Assert.Throws<ExtensionFormatException>(() => ExtensionFile.Parse("guard", new byte[ExtensionFile.MaxBytes + 1]));
        Assert.Throws<ExtensionFormatException>(() => ExtensionFile.Parse("guard", [0xff, 0xfe]));
    }

    [Fact]
    public void Any_text_is_understood_or_refused() => Gen.String.Sample(text =>
    {
        try
        {
            Assert.NotEmpty(Parse(text).Program);
        }
        catch (ExtensionFormatException e)
        {
            Assert.NotEmpty(e.Message);
        }
    });

    private static ExtensionDefinition Parse(string content) => ExtensionFile.Parse("guard", Encoding.UTF8.GetBytes(content));
}
