using Qubes.Policy.Evaluation;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Tests.Evaluation;

public sealed class TokenMatcherTests
{
    private const string Nil = "uuid:00000000-0000-0000-0000-000000000000";

    private static bool Matches(string rule, TokenContext context, PolicyToken requested, string source)
    {
        Assert.True(TokenParser.TryParse(rule, context, out PolicyToken? token, out _));
        return TokenMatcher.Matches(token, requested, PolicyToken.Named(source), TestSystem.Info);
    }

    [Theory]
    [InlineData("dom0", "dom0", true)]
    [InlineData("dom0", "@adminvm", true)]
    [InlineData("dom0", Nil, true)]
    [InlineData("@adminvm", "dom0", true)]
    [InlineData("@adminvm", "@adminvm", true)]
    [InlineData("@adminvm", Nil, true)]
    [InlineData(Nil, "dom0", true)]
    [InlineData(Nil, "@adminvm", true)]
    [InlineData(Nil, Nil, true)]
    [InlineData(Nil, "work", false)]
    [InlineData(Nil, "@dispvm:dvm", false)]
    [InlineData("work", "dom0", false)]
    [InlineData("dom0", "work", false)]
    [InlineData("work", "@adminvm", false)]
    [InlineData("@adminvm", "work", false)]
    [InlineData("work", Nil, false)]
    [InlineData("work", "work", true)]
    [InlineData("work", "bank", false)]
    [InlineData("work", "uuid:" + TestSystem.WorkUuid, true)]
    [InlineData("bank", "uuid:" + TestSystem.WorkUuid, false)]
    [InlineData("uuid:" + TestSystem.WorkUuid, "work", true)]
    [InlineData("uuid:" + TestSystem.WorkUuid, "uuid:" + TestSystem.WorkUuid, true)]
    [InlineData("uuid:" + TestSystem.WorkUuid, "bank", false)]
    [InlineData("uuid:" + TestSystem.WorkUuid, "@default", false)]
    [InlineData("$anyvm", "work", false)]
    [InlineData("*", "work", true)]
    [InlineData("*", "@dispvm", true)]
    [InlineData("*", "@dispvm:dvm", true)]
    [InlineData("*", "@adminvm", true)]
    [InlineData("*", "@default", true)]
    [InlineData("@anyvm", "work", true)]
    [InlineData("@anyvm", "@default", true)]
    [InlineData("@anyvm", "@dispvm", true)]
    [InlineData("@anyvm", "@dispvm:dvm", true)]
    [InlineData("@anyvm", "dom0", false)]
    [InlineData("@anyvm", "@adminvm", false)]
    [InlineData("@anyvm", Nil, false)]
    [InlineData("@default", "@default", true)]
    [InlineData("@default", "", true)]
    [InlineData("@default", "nothere", true)]
    [InlineData("@default", "uuid:33333333-0000-4000-8000-000000000000", true)]
    [InlineData("@default", "work\n", true)]
    [InlineData("@default", "work  ", true)]
    [InlineData("@default", "work", false)]
    [InlineData("@tag:office", "work", true)]
    [InlineData("@tag:office", "uuid:" + TestSystem.WorkUuid, true)]
    [InlineData("@tag:office", "gui", false)]
    [InlineData("@tag:office", "dom0", false)]
    [InlineData("@tag:office", "@dispvm:dvm", false)]
    [InlineData("@tag:host", "dom0", true)]
    [InlineData("@tag:host", "@adminvm", false)]
    [InlineData("@type:AppVM", "work", true)]
    [InlineData("@type:TemplateVM", "fedora", true)]
    [InlineData("@type:TemplateVM", "work", false)]
    [InlineData("@type:AdminVM", "dom0", true)]
    [InlineData("@type:AdminVM", "@adminvm", false)]
    [InlineData("@type:AppVM", "@default", false)]
    [InlineData("@dispvm", "@dispvm", true)]
    [InlineData("@dispvm", "work", false)]
    [InlineData("@dispvm", "dvm", false)]
    [InlineData("@dispvm", "@dispvm:dvm", false)]
    [InlineData("@dispvm:dvm", "@dispvm:dvm", true)]
    [InlineData("@dispvm:dvm", "@dispvm", true)]
    [InlineData("@dispvm:dvm2", "@dispvm", false)]
    [InlineData("@dispvm:dvm", "@dispvm:dvm2", false)]
    [InlineData("@dispvm:dvm", "dvm", false)]
    [InlineData("dvm", "@dispvm:dvm", false)]
    [InlineData("@dispvm:uuid:" + TestSystem.DvmUuid, "@dispvm:uuid:" + TestSystem.DvmUuid, true)]
    [InlineData("@dispvm:uuid:" + TestSystem.DvmUuid, "@dispvm:dvm", true)]
    [InlineData("@dispvm:dvm", "@dispvm:uuid:" + TestSystem.DvmUuid, true)]
    [InlineData("@dispvm:uuid:" + TestSystem.DvmUuid, "@dispvm", false)]
    [InlineData("@dispvm:@tag:viewer", "@dispvm:dvm2", true)]
    [InlineData("@dispvm:@tag:viewer", "@dispvm:dvm", false)]
    [InlineData("@dispvm:@tag:viewer", "@dispvm", false)]
    [InlineData("@dispvm:@tag:office", "@dispvm", false)]
    [InlineData("@dispvm:@tag:viewer", "dvm2", false)]
    public void A_target_is_covered_as_the_table_says(string rule, string requested, bool expected)
    {
        PolicyRequest request = PolicyRequest.Of(new PolicyCall("work", requested, "s"), TestSystem.Info);
        Assert.Equal(expected, Matches(rule, TokenContext.Target, request.Target, "work"));
    }

    [Fact]
    public void A_disposable_of_nobody_matches_no_template_and_the_search_goes_on()
    {
        Assert.False(Matches("@dispvm:dvm", TokenContext.Target, PolicyToken.DispVm, "nodvm"));
        Assert.False(Matches("@dispvm:@tag:viewer", TokenContext.Target, PolicyToken.DispVm, "nodvm"));
        Assert.False(Matches("@dispvm:@tag:viewer", TokenContext.Target, PolicyToken.DispVm, "gonedvm"));
        Assert.Equal(
            "denied by policy " + Policies.File + ":2",
            Policies.Denied("s * @anyvm @dispvm:dvm allow\ns * @anyvm @dispvm deny", "nodvm", "@dispvm", "s").Reason);
    }

    [Theory]
    [InlineData("@anyvm", "work", true)]
    [InlineData("@anyvm", "unknown", true)]
    [InlineData("@anyvm", "dom0", false)]
    [InlineData("*", "unknown", true)]
    [InlineData("*", "dom0", true)]
    [InlineData("unknown", "unknown", true)]
    [InlineData("work", "unknown", false)]
    [InlineData("@tag:office", "unknown", false)]
    [InlineData("@type:AppVM", "unknown", false)]
    [InlineData("@adminvm", "dom0", true)]
    [InlineData("uuid:" + TestSystem.WorkUuid, "work", true)]
    [InlineData("@tag:office", "work", true)]
    [InlineData("@type:AppVM", "work", true)]
    [InlineData("@dispvm:dvm", "dvm", false)]
    [InlineData("@dispvm:dvm", "@dispvm:dvm", false)]
    [InlineData("@dispvm:@tag:viewer", "dvm2", false)]
    public void A_source_is_covered_as_the_table_says(string rule, string source, bool expected) =>
        Assert.Equal(expected, Matches(rule, TokenContext.Source, PolicyToken.Named(source), source));
}
