namespace Qubes.Policy.Tests.Evaluation;

public sealed class ResultTextTests
{
    private const string Any = "test.Service * @anyvm * allow";

    [Theory]
    [InlineData("dom0", "dom0")]
    [InlineData("@adminvm", "@adminvm")]
    [InlineData("uuid:00000000-0000-0000-0000-000000000000", "uuid:00000000-0000-0000-0000-000000000000")]
    public void Dom0_has_no_uuid(string target, string requested) =>
        Assert.Equal($"user=DEFAULT\nresult=allow\ntarget=dom0\nautostart=True\nrequested_target={requested}", Policies.Result(Any, "work", target));

    [Fact]
    public void A_qube_has_its_uuid()
    {
        Assert.Equal(
            $"user=joe\nresult=allow\ntarget=bank\ntarget_uuid=uuid:{TestSystem.BankUuid}\nautostart=True\nrequested_target=bank",
            Policies.Result("test.Service * @anyvm * allow user=joe", "work", "bank"));
        Assert.Equal(
            $"user=DEFAULT\nresult=allow\ntarget=gui\ntarget_uuid=uuid:{TestSystem.UuidOf("gui")}\nautostart=False\nrequested_target=@default",
            Policies.Result("test.Service * @anyvm * allow target=gui autostart=no", "work", "nothere"));
    }

    [Fact]
    public void A_form_by_uuid_is_kept() =>
        Assert.Equal(
            $"user=DEFAULT\nresult=allow\ntarget=uuid:{TestSystem.BankUuid}\ntarget_uuid=uuid:{TestSystem.BankUuid}\nautostart=True\nrequested_target=gui",
            Policies.Result($"test.Service * @anyvm * allow target=uuid:{TestSystem.BankUuid}", "work", "gui"));

    [Theory]
    [InlineData("@dispvm", "@dispvm:dvm")]
    [InlineData("@dispvm:dvm", "@dispvm:dvm")]
    [InlineData("@dispvm:uuid:" + TestSystem.DvmUuid, "@dispvm:uuid:" + TestSystem.DvmUuid)]
    public void A_disposable_has_the_uuid_of_its_template(string target, string expected) =>
        Assert.Equal(
            $"user=DEFAULT\nresult=allow\ntarget={expected}\ntarget_uuid=@dispvm:uuid:{TestSystem.DvmUuid}\nautostart=True\nrequested_target={target}",
            Policies.Result(Any, "work", target));

    [Fact]
    public void A_call_to_a_remote_qube_goes_through_its_relay_with_no_user() =>
        Assert.Equal(
            $"user=DEFAULT\nresult=allow\ntarget=relay\ntarget_uuid=uuid:{TestSystem.UuidOf("relay")}\nautostart=True\nrequested_target=far\n"
                + "service=air.SSHProxy+far+test.Service+arg",
            Policies.Result("test.Service * @anyvm * allow user=joe", "work", "far"));

    [Fact]
    public void A_call_from_a_remote_qube_names_it()
    {
        string From(string target) => Policies.Result(Any, "relay", target, claimed: "far");
        Assert.EndsWith("\nautostart=True\nrequested_target=work\npolicy_source=far", From("work"));
        Assert.EndsWith("\nservice=air.SSHProxy+far2+test.Service+arg\npolicy_source=far", From("far2"));
        Assert.EndsWith("\nrequested_target=@dispvm:dvm\npolicy_source=far", From("@dispvm:dvm"));
        Assert.EndsWith("\nrequested_target=dom0", From("dom0"));
    }

    [Theory]
    [InlineData("norelay", "norelay: relayvm is not set")]
    [InlineData("notransport", "notransport: transport RPC is not set")]
    [InlineData("gonerelay", "gonerelay: relayvm gone is gone")]
    public void A_remote_qube_that_cannot_be_reached_is_a_denial(string target, string expected) =>
        Assert.Equal(expected, Policies.Denied(Any, "work", target).Reason);

    [Theory]
    [InlineData("work", "work")]
    [InlineData("work", "uuid:" + TestSystem.WorkUuid)]
    [InlineData("uuid:" + TestSystem.WorkUuid, "work")]
    public void A_qube_cannot_call_itself_in_any_form(string source, string target) =>
        Assert.Equal("loopback qrexec connection not supported", Policies.Denied(Any, source, target).Reason);
}
