using System.Text;
using CsCheck;
using Qubes.Policy.SystemState;

namespace Qubes.Policy.Tests.SystemState;

public sealed class SystemInfoJsonTests
{
    private static readonly Gen<string> s_text = Gen.Char["abz09-_.:@\"\\/\n\u0001\u00e9\u4e2d"].Array[0, 8].Select(c => new string(c));

    private static readonly Gen<QubeInfo> s_qube =
        from name in s_text.Where(n => !n.StartsWith("uuid:", StringComparison.Ordinal))
        from type in s_text
        from tags in s_text.Array[0, 3]
        from isTemplate in Gen.Bool
        from texts in s_text.Null().Array[5]
        from icon in s_text
        from state in s_text
        select new QubeInfo
        {
            Name = name,
            Type = type,
            Tags = [.. tags],
            TemplateForDispvms = isTemplate,
            Internal = texts[0],
            DefaultDispvm = texts[1],
            Guivm = texts[2],
            Relayvm = texts[3],
            TransportRpc = texts[4],
            Icon = icon,
            Label = state,
            PowerState = state,
            Uuid = type,
        };

    [Fact]
    public void The_text_has_the_form_readers_compare() =>
        Assert.Equal(
            """
            {"domains": {"dom0": {"internal": null, "tags": [], "type": "AdminVM", "template_for_dispvms": false, "default_dispvm": null, "icon": "appvm-black", "label": "0x000000", "guivm": null, "relayvm": null, "transport_rpc": null, "power_state": "Running", "uuid": "00000000-0000-0000-0000-000000000000"}, "a": {"internal": "1", "tags": ["x", "y"], "type": "AppVM", "template_for_dispvms": true, "default_dispvm": "d", "icon": "", "label": "", "guivm": "dom0", "relayvm": "r", "transport_rpc": "t", "power_state": "Halted", "uuid": "u"}}}
            """,
            Encoding.ASCII.GetString(SystemInfoJson.Write(new SystemInfo(
            [
                new()
                {
                    Name = "a", Type = "AppVM", Internal = "1", Tags = ["x", "y"], TemplateForDispvms = true, DefaultDispvm = "d",
                    Guivm = "dom0", Relayvm = "r", TransportRpc = "t", Uuid = "u",
                },
                new()
                {
                    Name = "dom0", Type = "AdminVM", Icon = "appvm-black", Label = "0x000000", PowerState = "Running",
                    Uuid = "00000000-0000-0000-0000-000000000000",
                },
            ]))));

    [Fact]
    public void What_is_written_is_read_back() =>
        s_qube.Array[0, 4].Sample(qubes =>
        {
            SystemInfo system = new(qubes.DistinctBy(q => q.Name));
            byte[] text = SystemInfoJson.Write(system);
            Assert.True(Ascii.IsValid(text));
            Assert.Equal(text, SystemInfoJson.Write(SystemInfoJson.Parse(text)));
        });

    [Fact]
    public void Missing_and_unknown_keys_are_tolerated_and_uuid_keys_left_out()
    {
        SystemInfo system = SystemInfoJson.Parse(
            """{"more": 1, "domains": {"a": {"type": "AppVM", "future": [1], "name": "a"}, "uuid:1": {"type": "AppVM"}}}"""u8.ToArray());
        Assert.Equal("AppVM", Assert.Single(system.Qubes).Type);
        Assert.Null(system.Find("uuid:1"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"domains\": []}")]
    [InlineData("{\"domains\": {\"a\": 1}}")]
    [InlineData("{\"domains\": {\"a\": {\"tags\": [1]}}}")]
    [InlineData("{\"domains\": {\"a\": {\"tags\": [null]}}}")]
    [InlineData("{\"domains\": {\"a\": {\"template_for_dispvms\": \"yes\"}}}")]
    [InlineData("{\"domains\": {\"a\": {\"x\": [[[[[[[[1]]]]]]]]}}}")]
    [InlineData("{\"domains\": {}} trailing")]
    public void Anything_else_is_a_format_error(string text) =>
        Assert.Throws<FormatException>(() => SystemInfoJson.Parse(Encoding.UTF8.GetBytes(text)));
}
