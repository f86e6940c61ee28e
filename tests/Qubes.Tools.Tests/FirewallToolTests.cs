namespace Qubes.Tools.Tests;

public sealed class FirewallToolTests : ToolHarness
{
    private const string Rules = "action=accept dst4=1.2.3.4/32 proto=tcp dstports=80-80\naction=drop specialtarget=dns\naction=accept proto=icmp icmptype=8 comment=a b\n";

    public FirewallToolTests() => Daemon.Answer("admin.vm.List+ dom0", ThreeQubes).Answer("admin.vm.firewall.Get+ work", Rules)
        .Answer("admin.vm.firewall.Set+ work", "").Answer("admin.vm.firewall.Reload+ work", "");

    [Fact]
    public async Task Rules_are_listed_as_a_table_or_raw()
    {
        Assert.Equal(0, await RunAsync("qvm-firewall", "work"));
        Assert.Equal(
            "NO  ACTION  HOST        PROTOCOL  PORT(S)  SPECIAL TARGET  ICMP TYPE  EXPIRE  COMMENT\n"
            + "0   accept  1.2.3.4/32  tcp       80       -               -          -       -\n"
            + "1   drop    -           -         -        dns             -          -       -\n"
            + "2   accept  -           icmp      -        -               8          -       a b\n", Output);
        Assert.Equal(0, await RunAsync("qvm-firewall", "--raw", "work", "list"));
        Assert.Equal(Rules, Output);
        Assert.Empty(Calls("admin.vm.firewall.Reload"));
        Assert.Equal(0, await RunAsync("qvm-firewall", "-r", "work"));
        Assert.Single(Calls("admin.vm.firewall.Reload"));
    }

    [Fact]
    public async Task Expiry_is_shown_from_now()
    {
        long later = DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 300;
        Daemon.Answer("admin.vm.firewall.Get+ work", $"action=accept expire={later}\n");
        Assert.Equal(0, await RunAsync("qvm-firewall", "work"));
        Assert.Matches(@"  \+(299|300)s +-\n", Output);
    }

    [Theory]
    [InlineData("action=drop dsthost=www.example.com proto=tcp dstports=443-443", "drop", "www.example.com", "tcp", "443")]
    [InlineData("action=accept proto=icmp icmptype=8", "proto=icmp", "accept", "icmptype=8")]
    [InlineData("action=accept dst4=1.2.3.4/32 proto=icmp icmptype=8", "accept", "1.2.3.4", "icmp", "8")]
    [InlineData("action=drop dst6=::1/128 comment=x y", "dst6=::1", "drop", "comment=x y")]
    [InlineData("action=accept expire=99999999999", "accept", "expire=99999999999")]
    public async Task A_rule_is_added_by_position_or_by_key(string rule, params string[] match)
    {
        Assert.Equal(0, await RunAsync("qvm-firewall", ["work", "add", .. match]));
        Assert.Equal($"admin.vm.firewall.Set+ work {Rules}{rule}", Assert.Single(Calls("admin.vm.firewall.Set")));
    }

    [Fact]
    public async Task A_rule_can_be_inserted_and_expire_from_now()
    {
        Assert.Equal(0, await RunAsync("qvm-firewall", "work", "add", "--before", "1", "drop", "expire=+300"));
        string set = Assert.Single(Calls("admin.vm.firewall.Set"));
        Assert.StartsWith("admin.vm.firewall.Set+ work action=accept dst4=1.2.3.4/32 proto=tcp dstports=80-80\naction=drop expire=", set, StringComparison.Ordinal);
        string expire = set.Split("expire=")[1].Split('\n')[0];
        Assert.InRange(long.Parse(expire, System.Globalization.CultureInfo.InvariantCulture) - DateTimeOffset.UtcNow.ToUnixTimeSeconds(), 290, 300);
    }

    [Fact]
    public async Task A_rule_is_deleted_by_number_or_by_what_it_is()
    {
        Assert.Equal(0, await RunAsync("qvm-firewall", "work", "del", "--rule-no", "0"));
        Assert.Equal(0, await RunAsync("qvm-firewall", "work", "del", "accept", "1.2.3.4", "tcp", "80"));
        Assert.All(Calls("admin.vm.firewall.Set"), set => Assert.StartsWith("admin.vm.firewall.Set+ work action=drop specialtarget=dns\n", set, StringComparison.Ordinal));
        Assert.Equal(2, Calls("admin.vm.firewall.Set").Count());
        Assert.Equal(1, await RunAsync("qvm-firewall", "work", "del", "--rule-no", "3"));
        Assert.Equal("qvm-firewall: error: no rule 3\n", Error);
        Assert.Equal(1, await RunAsync("qvm-firewall", "work", "del", "drop"));
        Assert.Equal("qvm-firewall: error: no such rule: action=drop\n", Error);
        Assert.Equal(2, Calls("admin.vm.firewall.Set").Count());
    }

    [Fact]
    public async Task Reset_leaves_one_rule_that_accepts()
    {
        Assert.Equal(0, await RunAsync("qvm-firewall", "work", "reset"));
        Assert.Equal("admin.vm.firewall.Set+ work action=accept", Assert.Single(Calls("admin.vm.firewall.Set")));
    }

    [Theory]
    [InlineData(2, "invalid rule description: x=", "add", "x=")]
    [InlineData(2, "invalid rule description: comment=a=b", "add", "accept", "comment=a=b")]
    [InlineData(2, "Invalid rule element: color", "add", "accept", "color=red")]
    [InlineData(2, "the following arguments are required: MATCH", "add")]
    [InlineData(2, "unrecognized arguments: accept", "list", "accept")]
    [InlineData(2, "unrecognized arguments: accept", "reset", "accept")]
    [InlineData(2, "del takes either --rule-no or a rule", "del")]
    [InlineData(2, "argument --rule-no: invalid int value: 'x'", "del", "--rule-no", "x")]
    [InlineData(1, "Ports out of range", "add", "accept", "1.2.3.4", "tcp", "65536")]
    [InlineData(1, "Invalid action: 'perhaps'", "add", "perhaps")]
    public async Task Mistakes_are_named_and_change_nothing(int status, string message, params string[] words)
    {
        Assert.Equal(status, await RunAsync("qvm-firewall", ["work", .. words]));
        Assert.EndsWith($"qvm-firewall: error: {message}\n", Error, StringComparison.Ordinal);
        Assert.Empty(Calls("admin.vm.firewall.Set"));
    }

    [Fact]
    public async Task What_the_daemon_refuses_is_told()
    {
        Daemon.Fail("admin.vm.firewall.Set+ work", "QubesException", "firewall save error: disk");
        Assert.Equal(1, await RunAsync("qvm-firewall", "work", "reset"));
        Assert.Equal("Error: firewall save error: disk\n", Error);
    }
}
