using System.Text;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;
using Qubes.Store.Firewall;

namespace Qubes.Store.Tests.Firewall;

public sealed class FirewallFileTests
{
    private static readonly FirewallRule[] Rules =
    [
        FirewallRuleParser.Parse("action=accept expire=99999999999 dsthost=1.2.3.4 proto=tcp dstports=80 comment=hello"),
        FirewallRuleParser.Parse("action=drop specialtarget=dns"),
        FirewallRuleParser.Parse("action=accept proto=icmp icmptype=8 dst6=fd00::1/64"),
        FirewallRuleParser.Parse("action=accept proto=udp dstports=80-90"),
    ];

    [Fact]
    public void Rules_are_written_as_other_programs_expect_them()
    {
        string text = Encoding.UTF8.GetString(FirewallXmlWriter.Write(Rules[..1]));
        Assert.Equal(
            """
            <firewall version="2">
              <rules>
                <rule>
                  <properties>
                    <property name="action">accept</property>
                    <property name="comment">hello</property>
                    <property name="expire">99999999999</property>
                    <property name="dsthost">1.2.3.4/32</property>
                    <property name="proto">tcp</property>
                    <property name="dstports">80</property>
                  </properties>
                </rule>
              </rules>
            </firewall>

            """, text);
    }

    [Fact]
    public void Rules_survive_their_file()
    {
        string directory = Directory.CreateTempSubdirectory("qubes-firewall-").FullName;
        try
        {
            string path = Path.Combine(directory, FirewallFile.Name);
            Assert.Null(FirewallFile.Read(path));
            Assert.Null(FirewallFile.Read(Path.Combine(directory, "missing", FirewallFile.Name)));
            FirewallFile.Write(path, Rules);
            Assert.Equal(Rules, FirewallFile.Read(path));
            Assert.Equal((UnixFileMode)0b110110100, File.GetUnixFileMode(path));
            FirewallFile.Write(path, []);
            Assert.Empty(FirewallFile.Read(path)!);
            Assert.Throws<QubesException>(() => FirewallFile.Read(directory));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void A_damaged_file_is_kept_under_a_name_of_its_own()
    {
        string directory = Directory.CreateTempSubdirectory("qubes-firewall-").FullName;
        try
        {
            string path = Path.Combine(directory, FirewallFile.Name);
            FirewallFile.KeepDamaged(path, DateTimeOffset.UnixEpoch);
            Assert.Empty(Directory.GetFiles(directory));
            File.WriteAllBytes(path, "one"u8);
            FirewallFile.KeepDamaged(path, DateTimeOffset.UnixEpoch);
            File.WriteAllBytes(path, "two"u8);
            FirewallFile.KeepDamaged(path, DateTimeOffset.UnixEpoch);
            Assert.Equal("one", File.ReadAllText(path + ".damaged-19700101T000000Z"));
            Assert.Equal("two", File.ReadAllText(path + ".damaged-19700101T000000Z-1"));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData("""<QubesFirewallRules policy="allow"/>""", "action=accept specialtarget=dns", "action=accept proto=icmp", "action=accept")]
    [InlineData("""<QubesFirewallRules policy="deny" dns="allow"/>""", "action=accept specialtarget=dns", "action=drop proto=icmp")]
    [InlineData("""<QubesFirewallRules policy="allow" icmp="deny" dns="deny"><rule address="10.0.0.0" netmask="8" proto="any"/></QubesFirewallRules>""",
        "action=drop specialtarget=dns", "action=drop proto=icmp", "action=drop dst4=10.0.0.0/8", "action=accept")]
    [InlineData("""<f policy="deny"><rule address="1.2.3.4" netmask="0" port="80" toport="90"/><rule address="WWW.example.com" proto="udp" port="53" expire="7"/></f>""",
        "action=drop specialtarget=dns", "action=drop proto=icmp", "action=accept dst4=1.2.3.4/32 proto=tcp dstports=80-90",
        "action=accept expire=7 dsthost=www.example.com proto=udp dstports=53-53")]
    public void Files_without_a_version_are_taken_over(string xml, params string[] rules) =>
        Assert.Equal(rules, FirewallXmlReader.Read(Encoding.UTF8.GetBytes(xml)).Select(r => r.ApiText));

    [Theory]
    [InlineData("", "firewall.xml cannot be understood")]
    [InlineData("<firewall version=\"2\"><rules>", "firewall.xml cannot be understood")]
    [InlineData("<firewall version=\"3\"/>", "Unsupported firewall.xml version: 3")]
    [InlineData("<firewall/>", "neither a version nor a policy")]
    [InlineData("<f policy=\"maybe\"/>", "unknown policy 'maybe'")]
    [InlineData("<firewall version=\"2\"><rules><rule><properties/></rule></rules></firewall>", "missing action=")]
    [InlineData("<firewall version=\"2\"><rules><rule><properties><property name=\"new\">1</property></properties></rule></rules></firewall>", "Unknown firewall option: 'new'")]
    [InlineData("<firewall version=\"2\"><rules/><more/></firewall>", "expected <rules>, found Element more")]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"b\">]><firewall version=\"2\"/>", "DTD")]
    public void What_is_not_understood_is_not_half_used(string xml, string reason)
    {
        QubesException error = Assert.Throws<QubesException>(() => FirewallXmlReader.Read(Encoding.UTF8.GetBytes(xml)));
        Assert.Equal(QubesErrorNames.VMError, error.WireName);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
