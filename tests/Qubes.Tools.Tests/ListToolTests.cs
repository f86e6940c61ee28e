namespace Qubes.Tools.Tests;

public sealed class ListToolTests : ToolHarness
{
    public ListToolTests()
    {
        Daemon.Answer("admin.vm.List+ dom0",
                "dom0 class=AdminVM state=Running\nnet class=AppVM state=Running\ntmpl class=TemplateVM state=Halted\nwork class=AppVM state=Paused\n")
            .Answer("admin.vm.property.GetAll+ dom0", "label default=False type=label black\n")
            .Answer("admin.vm.property.GetAll+ net", Properties("green", "tmpl", "", providesNetwork: true))
            .Answer("admin.vm.property.GetAll+ tmpl", "label default=False type=label black\nnetvm default=True type=vm \n")
            .Answer("admin.vm.property.GetAll+ work", Properties("red", "tmpl", "net", providesNetwork: false))
            .Answer("admin.vm.tag.List+ work", "audited\n");
        foreach (string name in (string[])["dom0", "net", "tmpl"])
        {
            Daemon.Answer($"admin.vm.tag.List+ {name}", "");
        }
    }

    [Fact]
    public async Task The_simple_format_shows_all_qubes_with_dom0()
    {
        Assert.Equal(0, await RunAsync("qvm-ls"));
        Assert.Equal(
            """
            NAME  STATE    CLASS       LABEL  TEMPLATE  NETVM
            dom0  Running  AdminVM     black  -         -
            net   Running  AppVM       green  tmpl      -
            tmpl  Halted   TemplateVM  black  -         -
            work  Paused   AppVM       red    tmpl      net

            """, Output);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Many_qubes_are_read_in_one_call_where_the_daemon_knows_it(bool isKnown)
    {
        string[] names = [.. Enumerable.Range(100, 40).Select(number => $"q{number}")];
        Daemon.Answer("admin.vm.List+ dom0", string.Concat(names.Select(name => $"{name} class=AppVM state=Halted\n")));
        const string Property = """{"type":"label","value":"red","default":false}""";
        string qubes = string.Join(',', names.Skip(1).Select(name =>
            $$"""
            "{{name}}":{"class":"AppVM","uuid":"","power_state":"Halted","properties":{"label":{{Property}}},"features":{},"tags":[],
            "devices":[],"attached":null,"firewall":null,"notes":null}
            """));
        foreach (string name in names)
        {
            Daemon.Answer($"admin.vm.property.GetAll+ {name}", "label default=False type=label red\n");
        }

        if (isKnown)
        {
            Daemon.Answer("admin.state.Get+ dom0", """{"format":1,"revision":1,"position":"1.1","system":null,"qubes":{""" + qubes + "}}");
        }
        else
        {
            Daemon.Fail("admin.state.Get+ dom0", "ProtocolError", "no such method");
        }

        Assert.Equal(0, await RunAsync("qvm-ls", "--raw-data", "--fields", "name,label,netvm"));
        Assert.Equal(string.Concat(names.Select(name => $"{name}|red|-\n")), Output);

        // The first was made after the state was told.
        Assert.Equal(isKnown ? 1 : names.Length, Calls("admin.vm.property.GetAll").Count());
    }

    [Fact]
    public async Task Raw_output_has_neither_header_nor_padding()
    {
        Assert.Equal(0, await RunAsync("qvm-ls", "--raw-data", "--fields", "name, CLASS", "work"));
        Assert.Equal("work|AppVM\n", Output);
        Assert.Equal(0, await RunAsync("qvm-ls", "--raw-list", "*t*"));
        Assert.Equal("net\ntmpl\n", Output);
    }

    [Theory]
    [InlineData("work", "--label", "red")]
    [InlineData("tmpl", "--class", "TemplateVM")]
    [InlineData("work", "--paused")]
    [InlineData("work", "--tags", "audited")]
    [InlineData("work", "--netvm-is", "net")]
    [InlineData("net", "--prefs", "netvm=None", "label=green")]
    public async Task Filters_keep_what_matches_all_of_them(string expected, params string[] words)
    {
        Assert.Equal(0, await RunAsync("qvm-ls", ["--raw-list", .. words]));
        Assert.Equal(expected + "\n", Output);
    }

    [Fact]
    public async Task The_tree_puts_clients_under_their_netvm()
    {
        Assert.Equal(0, await RunAsync("qvm-ls", "--tree", "--raw-data", "--fields", "name"));
        Assert.Equal("dom0\ntmpl\nnet\n└─work\n", Output);
    }

    [Fact]
    public async Task Flags_tell_type_state_and_settings()
    {
        Assert.Equal(0, await RunAsync("qvm-ls", "--raw-data", "-O", "name,flags", "net"));
        Assert.Equal("net|ar-N----\n", Output);
    }

    [Theory]
    [InlineData("no such domain: 'nope'", "nope")]
    [InlineData("--exclude can only be used with --all", "--exclude", "net", "work")]
    [InlineData("Invalid argument: --prefs netvm", "--prefs", "netvm")]
    public async Task Mistakes_are_usage_errors(string message, params string[] words)
    {
        Assert.Equal(2, await RunAsync("qvm-ls", words));
        Assert.EndsWith($"qvm-ls: error: {message}\n", Error, StringComparison.Ordinal);
    }

    private static string Properties(string label, string template, string netvm, bool providesNetwork) =>
        $"label default=False type=label {label}\nnetvm default=True type=vm {netvm}\n"
        + $"provides_network default=True type=bool {providesNetwork}\ntemplate default=False type=vm {template}\n";
}
