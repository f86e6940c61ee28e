using Qubes.Policy.Evaluation;
using Qubes.Policy.Loading;
using Qubes.Policy.Service;
using Qubes.Policy.SystemState;
using Qubes.Protocol.Audit;

namespace Qubes.Admin.Tests.Audit;

public sealed class CallRecordTests
{
    [Fact]
    public async Task Each_call_leaves_a_record_whoever_makes_it_and_however_it_ends()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.feature.Set", "secret", "work", "the secret value");
        await fixture.CallAsync("admin.vm.feature.Get", "none", "work", source: "work");
        await fixture.CallAsync("admin.no.such", "x", "work");
        await fixture.CallAsync("admin.vm.List", "", "nobody");
        await fixture.CallAsync("admin.vm.feature.Set", "deferred-netvm-original", "work", "x");
        await RawClientAsync(fixture, "garbage");
        await RawClientAsync(fixture, "admin.vm.Start+ dom0 name work\0");
        await fixture.Audit.FlushAsync().WaitAsync(TimeSpan.FromSeconds(30));

        AuditRecord[] records = Records(fixture);
        Assert.Equal(
            [
                "dom0 admin.vm.feature.Set+secret work ok", "work admin.vm.feature.Get+none work QubesFeatureNotFoundError",
                "dom0 admin.no.such+x work ProtocolError", "dom0 admin.vm.List+ nobody QubesVMNotFoundError",
                "dom0 admin.vm.feature.Set+deferred-netvm-original work PermissionDenied", " +  QubesDaemonCommunicationError", "dom0 admin.vm.Start+ work ok",
            ],
            records.Select(r => $"{r.Source} {r.Call}+{r.Argument} {r.Target} {r.Outcome}"));
        Assert.All(records, r => Assert.True(r.UserId is not null));
        string all = string.Concat(AuditFormat.Files(fixture.AuditDirectory).Select(f => File.ReadAllText(f)));
        Assert.DoesNotContain("secret value", all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_that_policy_let_through_has_its_line_and_one_it_refused_is_recorded()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        MemoryPolicySource source = new();
        source.With("30-user.policy", "admin.vm.List * work @adminvm allow target=dom0\n* * @anyvm @anyvm deny\n");
        SystemInfo system = new([Info("dom0", "AdminVM"), Info("work", "AppVM")]);
        PolicyService service = new(new PolicyStore(source, TimeProvider.System), _ => ValueTask.FromResult(system),
            new Policy.Prompting.ServiceAgent(new Linux.QubesPaths("/nothere"), "/nothere", qrexecClient: null), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance)
        {
            Decided = fixture.PolicyTrail.Note,
        };
        await service.DecideAsync(new PolicyQuery(new PolicyCall("work", "@adminvm", "admin.vm.List+")), default);
        await service.DecideAsync(new PolicyQuery(new PolicyCall("work", "work", "admin.vm.Start+")), default);
        await fixture.CallAsync("admin.vm.List", source: "work");
        await fixture.CallAsync("admin.vm.List", source: "debian");
        await fixture.Audit.FlushAsync().WaitAsync(TimeSpan.FromSeconds(30));
        AuditRecord[] records = Records(fixture);
        Assert.Equal(["work admin.vm.Start denied-by-policy", "work admin.vm.List ok", "debian admin.vm.List ok"],
            records.Select(r => $"{r.Source} {r.Call} {r.Outcome}"));
        Assert.EndsWith("30-user.policy:2", records[0].Policy, StringComparison.Ordinal);
        Assert.EndsWith("30-user.policy:1", records[1].Policy, StringComparison.Ordinal);
        Assert.Null(records[2].Policy);
    }

    private static QubeInfo Info(string name, string type) => new() { Name = name, Type = type, PowerState = "Running" };

    private static Task<string> RawClientAsync(AdminFixture fixture, string request) => Testing.RawClient.CallAsync(fixture.AdminSocket, request);

    private static AuditRecord[] Records(AdminFixture fixture) =>
        [.. AuditFormat.Files(fixture.AuditDirectory).SelectMany(File.ReadAllLines).Select(line =>
        {
            Assert.True(AuditRecord.TryParse(System.Text.Encoding.ASCII.GetBytes(line), out AuditRecord? record));
            return record;
        }).Where(r => r.Event is null)];
}
