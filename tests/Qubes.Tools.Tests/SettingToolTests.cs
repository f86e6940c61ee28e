namespace Qubes.Tools.Tests;

public sealed class SettingToolTests : ToolHarness
{
    public SettingToolTests() => Daemon.Answer("admin.vm.List+ dom0", ThreeQubes).Answer("admin.label.List+ dom0", "red\nblack\n");

    [Fact]
    public async Task Properties_are_listed_with_their_kind()
    {
        Daemon.Answer("admin.vm.property.GetAll+ work",
            "label default=False type=label red\nmaxmem default=True type=int \nnetvm default=True type=vm \n");
        Assert.Equal(0, await RunAsync("qvm-prefs", "work"));
        Assert.Equal("label   -  red\nmaxmem  U\nnetvm   D  None\n", Output);
        Assert.Equal(0, await RunAsync("qvm-prefs", "--hide-default", "work"));
        Assert.Equal("label   -  red\nmaxmem  U\n", Output);
    }

    [Fact]
    public async Task One_property_of_a_named_qube_is_one_call()
    {
        Daemon.Answer("admin.vm.property.Get+default_user work", "default=True type=str user");
        Assert.Equal(0, await RunAsync("qvm-prefs", "work", "default-user"));
        Assert.Equal("user\n", Output);
        Assert.Single(Daemon.Requests);
    }

    [Fact]
    public async Task None_is_sent_empty_where_people_type_it()
    {
        Daemon.Answer("admin.vm.property.Set+netvm work", "").Answer("admin.vm.property.Set+kernel work", "")
            .Answer("admin.vm.property.Reset+netvm work", "");
        await RunAsync("qvm-prefs", "work", "netvm", "None");
        await RunAsync("qvm-prefs", "work", "kernel", "none");
        await RunAsync("qvm-prefs", "-D", "work", "netvm");
        Assert.Equal(["admin.vm.property.Set+netvm work", "admin.vm.property.Set+kernel work none", "admin.vm.property.Reset+netvm work"],
            Daemon.Requests);
    }

    [Fact]
    public async Task An_unknown_property_is_a_usage_error()
    {
        Daemon.Fail("admin.vm.property.Get+x work", "QubesNoSuchPropertyError", "Invalid property 'x' of work");
        Assert.Equal(2, await RunAsync("qvm-prefs", "work", "x"));
        Assert.EndsWith("qvm-prefs: error: no such property: 'x'\n", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_property_that_is_set_once_is_not_said_to_be_missing()
    {
        Daemon.Fail("admin.vm.property.Set+qid work", "QubesNoSuchPropertyError", "property 'qid' is write-once and already set");
        Assert.Equal(2, await RunAsync("qvm-prefs", "work", "qid", "7"));
        Assert.EndsWith("qvm-prefs: error: property 'qid' is write-once and already set\n", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Properties_of_the_system_need_no_name()
    {
        Daemon.Answer("admin.property.Get+clockvm dom0", "default=True type=vm ");
        Assert.Equal(0, await RunAsync("qubes-prefs", "clockvm"));
        Assert.Equal("", Output);
    }

    [Fact]
    public async Task A_qube_is_created_and_a_property_that_fails_is_told_apart()
    {
        Daemon.Answer("admin.vm.Create.AppVM+tmpl dom0", "").Answer("admin.vm.property.Set+netvm new", "")
            .Fail("admin.vm.property.Set+memory new", "QubesPropertyValueError", "memory must be positive");
        Assert.Equal(2, await RunAsync("qvm-create", "-t", "tmpl", "-l", "red", "--prop", "memory=0", "--prop", "netvm=", "new"));
        Assert.Equal("app: Error setting property memory (but VM created): memory must be positive\n", Error);
        Assert.Contains("admin.vm.Create.AppVM+tmpl dom0 name=new label=red", Daemon.Requests);
        Assert.Contains("admin.vm.property.Set+netvm new", Daemon.Requests);
    }

    [Theory]
    [InlineData(2, "--label option is mandatory", "new")]
    [InlineData(2, "VMNAME is mandatory", "-l", "red")]
    [InlineData(2, "no such label: 'pink'; available: red, black", "-l", "pink", "new")]
    [InlineData(2, "File pointed by --root-copy-from/--root-move-from does not exist", "-l", "red", "-r", "/no/such", "new")]
    [InlineData(2, "Invalid property token: 'x'", "-l", "red", "--prop", "x", "new")]
    public async Task Mistakes_in_create_are_named(int status, string message, params string[] words)
    {
        Assert.Equal(status, await RunAsync("qvm-create", words));
        Assert.EndsWith($"qvm-create: error: {message}\n", Error, StringComparison.Ordinal);
        Assert.Empty(Calls("admin.vm.Create"));
    }

    [Fact]
    public async Task Removing_one_in_use_says_by_whom()
    {
        Daemon.Fail("admin.vm.Remove+ tmpl", "QubesVMInUseError", "Domain is in use: 'tmpl'")
            .Answer("admin.property.GetAll+ dom0", "default_template default=False type=vm tmpl\n")
            .Answer("admin.vm.property.GetAll+ dom0", "label default=False type=label black\n")
            .Answer("admin.vm.property.GetAll+ work", "template default=False type=vm tmpl\nnetvm default=True type=vm tmpl\n");
        Assert.Equal(1, await RunAsync("qvm-remove", "-f", "tmpl"));
        Assert.Equal(
            "VM tmpl cannot be removed. It is in use as:\n - global property default_template\n - template for work\n"
            + "qvm-remove: error: Domain is in use: 'tmpl'\n", Error);
        Assert.Equal(1, await RunAsync("qvm-remove", "-f", "dom0"));
        Assert.Equal("qvm-remove: error: Domain 'dom0' cannot be removed.\n", Error);
    }

    [Fact]
    public async Task Features_are_shown_set_and_removed()
    {
        Daemon.Answer("admin.vm.feature.List+ work", "gui\nnote\n").Answer("admin.vm.feature.Get+gui work", "")
            .Answer("admin.vm.feature.Get+note work", "a b").Answer("admin.vm.feature.Set+x work", "")
            .Fail("admin.vm.feature.Get+no work", "QubesFeatureNotFoundError", "Feature not set for domain work: no")
            .Fail("admin.vm.feature.Remove+no work", "QubesFeatureNotFoundError", "Feature not set for domain work: no");
        Assert.Equal(0, await RunAsync("qvm-features", "work"));
        Assert.Equal("gui   \nnote  a b\n", Output);
        Assert.Equal(0, await RunAsync("qvm-features", "work", "x", ""));
        Assert.Equal(1, await RunAsync("qvm-features", "work", "no"));
        Assert.Equal("", Output + Error);
        Assert.Equal(0, await RunAsync("qvm-features", "--unset", "work", "no"));
        Assert.Equal(2, await RunAsync("qvm-features", "--unset", "work"));
    }

    [Fact]
    public async Task Tags_are_listed_sorted_asked_for_added_and_removed()
    {
        Daemon.Answer("admin.vm.tag.List+ work", "b\na\n").Answer("admin.vm.tag.Get+a work", "1").Answer("admin.vm.tag.Get+c work", "0")
            .Answer("admin.vm.tag.Set+c work", "").Fail("admin.vm.tag.Remove+d work", "QubesTagNotFoundError", "Tag not set");
        Assert.Equal(0, await RunAsync("qvm-tags", "work"));
        Assert.Equal("a\nb\n", Output);
        Assert.Equal(0, await RunAsync("qvm-tags", "work", "list", "a"));
        Assert.Equal(1, await RunAsync("qvm-tags", "work", "list", "c"));
        Assert.Equal(0, await RunAsync("qvm-tags", "work", "add", "c"));
        Assert.Equal(0, await RunAsync("qvm-tags", "work", "del", "d"));
        Assert.Equal(2, await RunAsync("qvm-tags", "work", "fly"));
    }
}
