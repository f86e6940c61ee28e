using Qubes.Policy.Checking;
using Qubes.Policy.Loading;
using Qubes.Policy.Syntax;

namespace Qubes.Policy.Tests.Checking;

public sealed class PolicyCheckTests
{
    [Fact]
    public void Every_bad_line_is_listed_in_order_and_includes_are_not_opened() =>
        Assert.Equal(
            ["f:1: invalid action: maybe", "f:2: wrong number of fields", "f:4: argument 'x' does not start with +"],
            PolicyCheck.CheckText("f", "s + a b maybe\nx\n!include nothere\n!include-service s x y\ns + a b ask\n!compat-4.0", PolicyFormat.Full)
                .Select(d => d.ToString()));

    [Fact]
    public void A_one_service_text_is_checked_in_its_own_form() =>
        Assert.Equal(
            ["f:2: wrong number of fields", "f:3: invalid directive"],
            PolicyCheck.CheckText("f", "$anyvm b allow,target=dom0\na b\n!compat-4.0\n$include:x", PolicyFormat.OneService).Select(d => d.ToString()));

    [Fact]
    public void A_whole_policy_is_checked_with_its_includes() =>
        Assert.Equal(
            ["/etc/qubes/policy.d/x:1: wrong number of fields"],
            PolicyCheck.Check(new MemoryPolicySource().With("1.policy", "!include x").With("x", "bad")).Select(d => d.ToString()));
}
