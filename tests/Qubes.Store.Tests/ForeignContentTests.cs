using System.Text;
using System.Xml.Linq;
using CsCheck;
using Qubes.Model.Classes;

namespace Qubes.Store.Tests;

/// <summary>What a newer version, another program or a person put into the store is still there after any number of saves.</summary>
public sealed class ForeignContentTests
{
    // Every kind of element there is, each with something known in it.
    private const string Work = """
            <domain id="domain-2" class="AppVM">
              <properties>
                <property name="label">red</property>
                <property name="name">work</property>
                <property name="qid">2</property>
                <property name="uuid">00000000-0000-4000-8000-000000000002</property>
                <property name="kernelopts">a &lt; b</property>
                <property name="template">fedora</property>
              </properties>
              <features>
                <feature name="gui">1</feature>
                <feature name="empty"></feature>
              </features>
              <tags>
                <tag name="created-by-dom0"/>
              </tags>
              <devices class="block">
                <device backend-domain="dom0" id="sda1" mode="auto-attach" identity="*">
                  <option name="read-only">True</option>
                </device>
                <device backend-domain="dom0" id="sda2" mode="required" identity="*"/>
              </devices>
              <volume-config>
                <volume name="root" rw="True" save_on_stop="False" snap_on_start="True"/>
                <volume name="private" pool="varlibqubes" vid="appvms/work/private" rw="True" save_on_stop="True" snap_on_start="False" size="2147483648"/>
                <volume name="volatile" rw="True" save_on_stop="False" snap_on_start="False" size="10737418240"/>
                <volume name="kernel" rw="False" save_on_stop="False" snap_on_start="False"/>
              </volume-config>
            </domain>
        """;

    private static readonly string Base = StoreText.Store(StoreText.Dom0, StoreText.Fedora, Work);

    [Fact]
    public void In_the_form_of_the_store_it_is_written_again_byte_for_byte()
    {
        const string text = """
            <!-- before all -->
            <?note for a program?>
            <qubes from="the future">
              <!-- labels of the house -->
              <labels kind="x">
                <!-- of the bank -->
                <label id="label-1" color="0xcc0000" shade="dark">red<meaning>secret</meaning></label>
                <label id="label-8" color="0x000000">black</label>
                <!-- no more -->
              </labels>
              <pools>
                <pool name="varlibqubes" dir_path="/var/lib/qubes" driver="file-reflink" revisions_to_keep="1" quota="5">
                  <mirror to="b"/>
                </pool>
                <swimming-pool/>
              </pools>
              <properties>
                <!-- chosen by hand -->
                <property name="stats_interval" since="5">7<!-- seconds --></property>
                <property name="from_the_future" unit="m">1</property>
              </properties>
              <domains count="2">
                <!-- the host -->
                <domain id="domain-0" class="AdminVM" seat="1">
                  <properties>
                    <property name="label">black</property>
                  </properties>
                  <features/>
                  <tags/>
                  <volume-config>
                    <volume name="root"/>
                  </volume-config>
                </domain>
                <domain id="domain-1" class="TemplateVM">
                  <properties order="x">
                    <property name="label">black</property>
                    <property name="name">fedora</property>
                    <property name="qid">1</property>
                    <property name="uuid">00000000-0000-4000-8000-000000000001</property>
                    <group/>
                  </properties>
                  <features>
                    <feature name="gui" by="me">1</feature>
                  </features>
                  <tags more="0">
                    <tag name="a" colour="b">
                      <x:why xmlns:x="urn:y" x:z="&lt;&#13;&#10;">text &lt;&#13;</x:why>
                    </tag>
                  </tags>
                  <!-- for the printer -->
                  <devices class="usb" bus="3">
                    <device backend-domain="dom0" id="1-2" mode="required" identity="*" speed="high">
                      <option name="o" x:p="1" xmlns:x="urn:y">v</option>
                      <serial>1<deep a="b"/></serial>
                    </device>
                  </devices>
                  <devices class="printer">
                    <driver/>
                  </devices>
                  <volume-config version="2">
                    <volume name="root" rw="True" save_on_stop="True" snap_on_start="False" size="10737418240">
                      <key/>
                    </volume>
                    <volume name="private" rw="True" save_on_stop="True" snap_on_start="False" size="2147483648"/>
                    <volume name="volatile" rw="True" save_on_stop="False" snap_on_start="False" size="10737418240"/>
                    <volume name="kernel" rw="False" save_on_stop="False" snap_on_start="False"/>
                  </volume-config>
                  <something new="1"><deep>text</deep></something>
                </domain>
                <remark/>
              </domains>
              <rest><![CDATA[a]]></rest>
              <!-- revision 4 -->
            </qubes>
            <!-- the end -->

            """;
        LoadedStore store = new(text);
        Assert.Equal(text.Replace("<![CDATA[a]]>", "a", StringComparison.Ordinal), store.Written);
        Assert.Single(store.App.Problems);
    }

    /// <summary>Anything put anywhere is there once after a load and a save, the rest is as without it, and a second save changes nothing.</summary>
    [Fact]
    public void Wherever_it_is_put_it_stays_and_disturbs_nothing() => Gen.Select(Gen.Int[0, 1 << 20], Gen.Int[0, 6]).Array[1, 12]
        .Sample(places =>
        {
            XDocument document = XDocument.Parse(Base);
            XElement[] elements = [.. document.Descendants()];
            for (int i = 0; i < places.Length; i++)
            {
                (int at, int kind) = places[i];
                Put(elements[at % elements.Length], kind, $"zz{i}.");
            }

            string text = document.ToString(SaveOptions.DisableFormatting);
            LoadedStore store = new(text);
            Assert.Empty(store.App.Problems);
            for (int i = 0; i < places.Length; i++)
            {
                Assert.Equal(2, store.Written.Split($"zz{i}.", StringSplitOptions.None).Length);
            }

            Assert.Equal(Without(Base), Without(store.Written));
            Assert.Equal(store.Written, new LoadedStore(store.Written).Written);
        });

    [Fact]
    public async Task It_survives_changes_saves_and_crashes()
    {
        using TemporaryDirectory directory = new();
        XDocument document = XDocument.Parse(Base);
        int i = 0;
        foreach (XElement element in document.Descendants().ToArray())
        {
            Put(element, i % 7, $"zz{i}.");
            i++;
        }

        await File.WriteAllTextAsync(directory["qubes.xml"], document.ToString(SaveOptions.DisableFormatting));
        await using RunningStore running = await RunningStore.LoadAsync(directory);
        await running.SetAsync("work", "memory", "300");
        await running.PrepareAsync();
        await running.ChangeAsync("all", app =>
        {
            foreach (Qube qube in app.Domains)
            {
                qube.Features.Set("k", "v");
            }

            app.Property("stats_interval").SetInput(app, "9");
        });
        await using RunningStore crashed = await running.LoadAsAfterCrashAsync();
        await crashed.SetAsync("work", "memory", "400");
        await crashed.WriteFileAsync();
        string written = await File.ReadAllTextAsync(crashed.Options.StoreFile);
        for (int j = 0; j < i; j++)
        {
            Assert.Equal(2, written.Split($"zz{j}.", StringSplitOptions.None).Length);
        }

        Assert.Contains(">400<", written, StringComparison.Ordinal);
    }

    [Fact]
    public void It_goes_with_the_entry_it_stood_at()
    {
        LoadedStore store = new(Base.Replace("""<feature name="gui">""", """<!-- for the screen --><feature name="gui" zz="1">""", StringComparison.Ordinal));
        Assert.Contains("zz=", store.Written, StringComparison.Ordinal);
        store.Qube("work").Features.Remove("gui");
        string written = Encoding.UTF8.GetString(new Format.StoreSerializer(store.App, new Format.PreservedEntries()).Build(0));
        Assert.DoesNotContain("zz=", written, StringComparison.Ordinal);
        Assert.DoesNotContain("screen", written, StringComparison.Ordinal);
    }

    [Fact]
    public void A_known_name_in_another_namespace_is_not_what_it_looks_like()
    {
        LoadedStore store = new(Base.Replace(
            "<features>", """<y:features xmlns:y="urn:y"><feature name="gui">0</feature></y:features><features>""", StringComparison.Ordinal));
        Assert.Empty(store.App.Problems);
        Assert.Equal("1", store.Qube("work").Features.Get("gui"));
        Assert.Contains("""<y:features xmlns:y="urn:y"><feature name="gui">0</feature></y:features>""", store.Written, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""<features a="1"/><features a="2"/>""")]
    [InlineData("""<devices class="usb" a="1"/><devices class="usb" a="2"/>""")]
    [InlineData("""<features><feature name="x" a="1">1</feature><feature name="x" a="2">2</feature></features>""")]
    public void Two_elements_that_become_one_leave_a_store_that_can_be_read(string twice)
    {
        LoadedStore store = new(StoreText.Store(StoreText.Dom0, StoreText.Fedora, StoreText.AppVM("work", 2, rest: twice)));
        Assert.Equal(store.Written, new LoadedStore(store.Written).Written);
        Assert.Contains("a=\"2\"", store.Written, StringComparison.Ordinal);
    }

    private static void Put(XElement element, int kind, string mark)
    {
        switch (kind)
        {
            case 0:
                element.Add(new XAttribute("x" + mark, "v\r\n\t<&\""));
                break;
            case 1:
                element.Add(new XAttribute(XName.Get("x" + mark, "urn:x"), "v"));
                break;
            case 2:
                element.AddFirst(new XElement("x", mark + "\r<", new XElement("feature", new XAttribute("name", "x"))));
                break;
            case 3:
                element.Add(new XElement(XName.Get("features", "urn:x"), new XAttribute(XName.Get("a", "urn:y"), 1), mark));
                break;
            case 4:
                element.AddBeforeSelf(new XComment(mark + " & \n text"));
                break;
            case 5:
                element.AddFirst(new XComment(mark));
                break;
            default:
                element.AddAfterSelf(new XProcessingInstruction("x", mark));
                break;
        }
    }

    // The text with all that was put into it taken out.
    private static string Without(string text)
    {
        XDocument document = XDocument.Parse(text);
        foreach (XElement element in document.Descendants().Reverse().ToArray())
        {
            if (element.Name.LocalName == "x" || element.Name.NamespaceName == "urn:x")
            {
                element.Remove();
                continue;
            }

            element.ReplaceAttributes(element.Attributes().Where(a => !a.IsNamespaceDeclaration && !a.Name.LocalName.StartsWith('x')).ToArray());
        }

        document.DescendantNodes().Where(n => n is XProcessingInstruction || (n is XComment comment && comment.Value.StartsWith("zz", StringComparison.Ordinal))).Remove();

        // One form for elements with nothing in them.
        foreach (XElement element in document.Descendants().Where(e => !e.HasElements && e.Value.Trim().Length == 0))
        {
            element.RemoveNodes();
        }

        return document.ToString();
    }
}
