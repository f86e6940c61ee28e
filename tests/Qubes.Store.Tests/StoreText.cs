namespace Qubes.Store.Tests;

/// <summary>Builds stores as upstream writes them.</summary>
internal static class StoreText
{
    public const string Dom0 = """
            <domain id="domain-0" class="AdminVM">
              <properties>
                <property name="label">black</property>
              </properties>
              <features/>
              <tags/>
            </domain>
        """;

    public const string Fedora = """
            <domain id="domain-1" class="TemplateVM">
              <properties>
                <property name="label">black</property>
                <property name="name">fedora</property>
                <property name="qid">1</property>
                <property name="uuid">00000000-0000-4000-8000-000000000001</property>
              </properties>
              <features/>
              <tags/>
              <volume-config>
                <volume name="root" pool="varlibqubes" vid="vm-templates/fedora/root" revisions_to_keep="1" rw="True" save_on_stop="True" snap_on_start="False" size="10737418240"/>
                <volume name="private" pool="varlibqubes" vid="vm-templates/fedora/private" revisions_to_keep="1" rw="True" save_on_stop="True" snap_on_start="False" size="2147483648"/>
                <volume name="volatile" pool="varlibqubes" vid="vm-templates/fedora/volatile" rw="True" save_on_stop="False" snap_on_start="False" size="10737418240"/>
                <volume name="kernel" rw="False" save_on_stop="False" snap_on_start="False"/>
              </volume-config>
            </domain>
        """;

    /// <summary>The head up to the qubes; further global properties may be given.</summary>
    public static string Head(string properties = "") => $"""
        <qubes>
          <labels>
            <label id="label-1" color="0xcc0000">red</label>
            <label id="label-2" color="0xf57900">orange</label>
            <label id="label-8" color="0x000000">black</label>
          </labels>
          <pools>
            <pool name="varlibqubes" dir_path="/var/lib/qubes" driver="file-reflink" revisions_to_keep="1" ephemeral_volatile="False"/>
            <pool name="linux-kernel" dir_path="/var/lib/qubes/vm-kernels" driver="linux-kernel"/>
          </pools>
          <properties>
            <property name="default_pool_kernel">linux-kernel</property>
            <property name="default_template">fedora</property>{properties}
          </properties>
          <domains>

        """;

    public static string Tail(long revision = 0) => $"\n  </domains>\n  <!-- revision {revision} -->\n</qubes>\n";

    public static string Store(params string[] qubes) => Head() + string.Join('\n', qubes) + Tail();

    /// <summary>An AppVM; further elements and properties may be given.</summary>
    public static string AppVM(string name, int qid, string properties = "", string rest = "") => $"""
            <domain id="domain-{qid}" class="AppVM">
              <properties>
                <property name="label">red</property>
                <property name="name">{name}</property>
                <property name="qid">{qid}</property>
                <property name="uuid">00000000-0000-4000-8000-{qid:x12}</property>
                <property name="template">fedora</property>{properties}
              </properties>
              {rest}
            </domain>
        """;
}
