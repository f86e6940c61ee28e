using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Model;
using Qubes.Model.Host;
using Qubes.Protocol.Errors;
using Qubes.Store;

namespace Qubes.Fuzz.Targets;

/// <summary>The store's file: whatever it holds, it loads (bad entries set aside) or is refused as damaged, and what loaded can be saved.</summary>
internal sealed class QubesXmlTarget : IFuzzTarget
{
    public string Name => "qubes-xml";

    public IEnumerable<byte[]> Seeds =>
    [
        Encoding.UTF8.GetBytes(
            """
            <qubes>
              <labels>
                <label id="label-1" color="0xcc0000">red</label>
                <label id="label-8" color="0x000000">black</label>
              </labels>
              <pools>
                <pool name="varlibqubes" dir_path="/var/lib/qubes" driver="file-reflink" revisions_to_keep="1"/>
              </pools>
              <properties>
                <property name="default_template">fedora</property>
                <property name="default_netvm">net</property>
              </properties>
              <domains>
                <domain id="domain-0" class="AdminVM"><properties><property name="label">black</property></properties></domain>
                <domain id="domain-1" class="TemplateVM">
                  <properties>
                    <property name="label">black</property><property name="name">fedora</property><property name="qid">1</property>
                    <property name="uuid">12345678-1234-1234-1234-1234567890ab</property>
                  </properties>
                </domain>
                <domain id="domain-2" class="AppVM">
                  <properties>
                    <property name="label">red</property><property name="name">net</property><property name="provides_network">True</property>
                    <property name="qid">2</property><property name="uuid">12345678-1234-1234-1234-1234567890ac</property>
                    <property name="memory">300</property><property name="netvm"/><property name="template">fedora</property>
                  </properties>
                  <features><feature name="gui">1</feature><feature name="x"></feature></features>
                  <tags><tag name="created-by-dom0"/></tags>
                  <devices class="pci">
                    <device backend-domain="dom0" id="00_1f.0" mode="required" identity="*"><option name="no-strict-reset">True</option></device>
                  </devices>
                  <volume-config>
                    <volume name="private" pool="varlibqubes" vid="appvms/net/private" revisions_to_keep="1" rw="True" save_on_stop="True"
                      snap_on_start="False" size="2147483648"/>
                  </volume-config>
                </domain>
              </domains>
              <!-- revision 7 -->
            </qubes>
            """),
        Encoding.UTF8.GetBytes(
            """
            <!-- a --><?b c?><qubes xmlns:x="urn:x" d="e"><labels f="g"><label id="label-8" color="0x000000" h="i">black<j/></label></labels>
            <pools><pool name="p" driver="q" x:k="l"><m/></pool></pools><properties><property name="clockvm" n="o"/><p/></properties>
            <domains><!-- q --><domain id="domain-0" class="AdminVM" r="s"><properties/><features><feature name="t" x:u="v">w</feature></features>
            <tags><tag name="x" y="z"><a/></tag></tags><devices class="b" c="d"><device id="e" f="g" mode="m"><option name="h" x:i="j">k</option>
            <x:l>m</x:l></device></devices><volume-config/></domain></domains><n><![CDATA[o]]></n></qubes><!-- p -->
            """),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        byte[] saved = LoadAndSave(input.ToArray());
        if (saved.Length > 0 && !LoadAndSave(saved).AsSpan().SequenceEqual(saved))
        {
            throw new InvalidOperationException("a saved store does not load as itself");
        }
    }

    private static byte[] LoadAndSave(byte[] content)
    {
        try
        {
            return QubesStore.Rewrite(new QubesApp(new FixedHostFacts()), content, NullLogger.Instance);
        }
        catch (QubesException)
        {
            return [];
        }
    }
}
