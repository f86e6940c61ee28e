using System.Globalization;
using System.Text;
using Qubes.Linux;

namespace Qubes.Bench;

/// <summary>A store as a machine with many qubes has it: one template, AppVMs on it with some properties, features and tags.</summary>
internal static class StoreText
{
    private static readonly string[] s_labels = ["red", "orange", "yellow", "green", "gray", "blue", "purple", "black"];
    private static readonly string[] s_colours = ["cc0000", "f57900", "edd400", "73d216", "555753", "3465a4", "75507b", "000000"];

    public static string Write(QubesPaths paths, int qubes)
    {
        StringBuilder xml = new("<qubes>\n  <labels>\n");
        for (int i = 0; i < s_labels.Length; i++)
        {
            xml.Append(CultureInfo.InvariantCulture, $"    <label id=\"label-{i + 1}\" color=\"0x{s_colours[i]}\">{s_labels[i]}</label>\n");
        }

        xml.Append(CultureInfo.InvariantCulture, $"""
              </labels>
              <pools>
                <pool name="varlibqubes" dir_path="{paths.StateDirectory}" driver="file-qcow2" revisions_to_keep="1"/>
                <pool name="linux-kernel" dir_path="{paths.KernelsDirectory}" driver="linux-kernel"/>
              </pools>
              <properties>
                <property name="default_pool">varlibqubes</property>
                <property name="default_pool_kernel">linux-kernel</property>
                <property name="default_template">tmpl</property>
              </properties>
              <domains>
                <domain id="domain-0" class="AdminVM">
                  <properties>
                    <property name="label">black</property>
                  </properties>
                  <features/>
                  <tags/>
                </domain>

            """);
        Qube(xml, 1, "tmpl", "TemplateVM", "");
        for (int i = 1; i <= qubes; i++)
        {
            Qube(xml, i + 1, ScratchHost.QubeName(i), "AppVM", "          <property name=\"template\">tmpl</property>\n");
        }

        return xml.Append("  </domains>\n</qubes>\n").ToString();
    }

    private static void Qube(StringBuilder xml, int qid, string name, string type, string template)
    {
        string directory = type == "TemplateVM" ? "vm-templates" : "appvms";
        bool isTemplate = type == "TemplateVM";
        xml.Append(CultureInfo.InvariantCulture, $"    <domain id=\"domain-{qid}\" class=\"{type}\">\n      <properties>\n{template}")
            .Append(CultureInfo.InvariantCulture, $"        <property name=\"label\">{s_labels[qid % s_labels.Length]}</property>\n")
            .Append(CultureInfo.InvariantCulture, $"        <property name=\"memory\">{300 + (qid % 10)}</property>\n")
            .Append(CultureInfo.InvariantCulture, $"        <property name=\"name\">{name}</property>\n")
            .Append(CultureInfo.InvariantCulture, $"        <property name=\"qid\">{qid}</property>\n")
            .Append(CultureInfo.InvariantCulture, $"        <property name=\"uuid\">00000000-0000-4000-8000-{qid:x12}</property>\n")
            .Append("      </properties>\n      <features>\n        <feature name=\"service.cups\">1</feature>\n        <feature name=\"menu-items\">firefox.desktop xterm.desktop</feature>\n      </features>\n")
            .Append(CultureInfo.InvariantCulture, $"      <tags>\n        <tag name=\"created-by-dom0\"/>\n        <tag name=\"team{qid % 20}\"/>\n      </tags>\n      <volume-config>\n")
            .Append(isTemplate
                ? $"        <volume name=\"root\" pool=\"varlibqubes\" vid=\"{directory}/{name}/root\" revisions_to_keep=\"1\" rw=\"True\" save_on_stop=\"True\" snap_on_start=\"False\" size=\"10737418240\"/>\n"
                : $"        <volume name=\"root\" pool=\"varlibqubes\" vid=\"{directory}/{name}/root\" revisions_to_keep=\"0\" rw=\"True\" save_on_stop=\"False\" snap_on_start=\"True\" size=\"10737418240\" source=\"vm-templates/tmpl/root\"/>\n")
            .Append(CultureInfo.InvariantCulture, $"        <volume name=\"private\" pool=\"varlibqubes\" vid=\"{directory}/{name}/private\" revisions_to_keep=\"1\" rw=\"True\" save_on_stop=\"True\" snap_on_start=\"False\" size=\"2147483648\"/>\n")
            .Append(CultureInfo.InvariantCulture, $"        <volume name=\"volatile\" pool=\"varlibqubes\" vid=\"{directory}/{name}/volatile\" revisions_to_keep=\"0\" rw=\"True\" save_on_stop=\"False\" snap_on_start=\"False\" size=\"10737418240\"/>\n")
            .Append("      </volume-config>\n    </domain>\n");
    }
}
