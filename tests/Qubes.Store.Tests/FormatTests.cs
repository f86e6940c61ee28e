using System.Text;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Host;
using Qubes.Protocol.Names;

namespace Qubes.Store.Tests;

public sealed class FormatTests
{
    [Fact]
    public void A_store_as_upstream_writes_it_is_written_again_byte_for_byte()
    {
        string text = StoreText.Store(
            StoreText.Dom0,
            StoreText.Fedora,
            """
                <domain id="domain-2" class="AppVM">
                  <properties>
                    <property name="default_user"></property>
                    <property name="label">red</property>
                    <property name="memory">300</property>
                    <property name="name">personal</property>
                    <property name="provides_network">True</property>
                    <property name="qid">2</property>
                    <property name="uuid">00000000-0000-4000-8000-000000000002</property>
                    <property name="kernelopts">a="1" &lt;b&gt; &amp; c&#13;
            	d</property>
                    <property name="netvm"></property>
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
                  </devices>
                  <devices class="unheard-of">
                    <device backend-domain="gone" id="x" mode="required" identity="*"/>
                  </devices>
                  <volume-config>
                    <volume name="root" pool="varlibqubes" vid="appvms/personal/root" revisions_to_keep="0" rw="True" save_on_stop="False" snap_on_start="True" size="10737418240" source="vm-templates/fedora/root"/>
                    <volume name="private" pool="varlibqubes" vid="appvms/personal/private" revisions_to_keep="1" rw="True" save_on_stop="True" snap_on_start="False" ephemeral="True" size="2147483648" extra="x&#10;y"/>
                    <volume name="volatile" pool="varlibqubes" vid="appvms/personal/volatile" rw="True" save_on_stop="False" snap_on_start="False" size="10737418240"/>
                    <volume name="kernel" pool="linux-kernel" vid="6.1" rw="False" save_on_stop="False" snap_on_start="False"/>
                  </volume-config>
                  <something new="1"><deep>text</deep></something>
                </domain>
            """);
        LoadedStore store = new(text);
        Assert.Empty(store.App.Problems);
        Assert.Equal(text, store.Written);
        Assert.Equal("default=False type=str ", store.Read("personal", "default_user"));
        Assert.Equal("default=False type=str a=\"1\" <b> & c\r\n\td", store.Read("personal", "kernelopts"));
    }

    [Fact]
    public void The_root_s_name_and_attributes_do_not_matter_nor_does_the_order_of_sections()
    {
        LoadedStore store = new(
            """
            <?xml version="1.0" encoding="utf-8"?>
            <!-- a comment -->
            <old version="3.0">
              <domains><domain class="AdminVM" id="whatever"/></domains>
              <properties/>
              <labels><label id="label-1" color="0x123456">red</label></labels>
            </old>
            """);
        Assert.Equal("dom0", store.Names);
        Assert.Equal("0x123456", store.App.Labels.Find("red").Color);
    }

    [Fact]
    public void Ref_wins_over_text()
    {
        LoadedStore store = new(StoreText.Store(StoreText.Dom0, StoreText.Fedora, StoreText.AppVM(
            "work", 2, """<property name="label" ref="label-2">red</property>""")));
        Assert.Equal("orange", store.App.Domains["work"].Label?.Name);
    }

    [Fact]
    public void Volumes_override_what_the_class_says()
    {
        LoadedStore store = new(StoreText.Store(StoreText.Dom0, StoreText.Fedora, StoreText.AppVM(
            "work", 2, rest: """<volume-config><volume name="private" size="5" internal="True"/><volume name="more" rw="True"/></volume-config>""")));
        Assert.Equal(["root", "private", "volatile", "kernel", "more"], store.Qube("work").Volumes.All.Select(v => v.Name));
        Assert.True(store.Qube("work").Volumes.TryGet("private", out Model.Volumes.VolumeConfig? volume));
        Assert.Equal((5L, true, true), (volume.Size, volume.Rw, volume.SaveOnStop));
        Assert.DoesNotContain("internal", store.Written, StringComparison.Ordinal);
    }

    /// <summary>Whatever is put into the model, a load of the saved text gives a model that saves the same text.</summary>
    [Fact]
    public void Every_model_survives_a_round_trip() => Gen.Select(
            Gen.Char[' ', '~'].Array[0, 20].Select(c => new string(c)).Array[1, 6],
            Gen.Char["abcXYZ019_.-"].Array[1, 12].Select(c => new string(c)).Array[1, 6])
        .Sample((values, names) =>
        {
            LoadedStore store = new(StoreText.Store(StoreText.Dom0, StoreText.Fedora, StoreText.AppVM("work", 2)));
            QubesVM work = store.Qube("work");
            for (int i = 0; i < values.Length; i++)
            {
                work.Features.Set(names[i % names.Length], values[i]);
                BootProperties.KernelOpts.Set(work, values[i] + "\r\n\t<&>\"'");
                work.Devices.Load(new Model.Devices.DeviceAssignment
                {
                    DeviceClass = "x" + names[i % names.Length],
                    Backend = values[i],
                    Port = $"{i}",
                    DeviceId = values[i],
                    Mode = "required",
                    Options = [new(names[i % names.Length], values[i])],
                });
                if (TagName.TryParse(names[i % names.Length], out TagName tag))
                {
                    work.Tags.Add(tag);
                }
            }

            using TemporaryDirectory directory = new();
            QubesApp copy = new(new FixedHostFacts());
            string first = Save(store.App);
            string second = Encoding.UTF8.GetString(QubesStore.Rewrite(copy, Encoding.UTF8.GetBytes(first), NullLogger.Instance));
            Assert.Empty(copy.Problems);
            Assert.Equal(first, second);
        }, iter: 200);

    private static string Save(QubesApp app)
    {
        Format.StoreSerializer serializer = new(app, new Format.PreservedEntries());
        return Encoding.UTF8.GetString(serializer.Build(0));
    }
}
