using Qubes.Protocol.Audit;
using Qubes.Testing;

namespace Qubes.Daemon.Tests;

public sealed class AuditTests
{
    [Fact]
    public async Task The_log_goes_on_after_a_kill_and_says_so()
    {
        using ScratchRoot root = new();
        for (int run = 0; run < 3; run++)
        {
            await using QubesdProcess daemon = await QubesdProcess.StartAsync(root);
            await daemon.CallAsync("admin.vm.List");
            await daemon.KillAsync();
        }

        await using (QubesdProcess last = await QubesdProcess.StartAsync(root))
        {
            await last.CallAsync("admin.label.List");
            Assert.True((await last.StopAsync()).IsSuccess);
        }

        AuditVerifier verifier = AuditLogFiles.Verify(root.Paths);
        Assert.Empty(verifier.Problems);
        Assert.Equal(3, verifier.Notes.Count(note => note.Contains("without finishing", StringComparison.Ordinal)));
        AuditRecord[] records = AuditLogFiles.Records(root.Paths);
        Assert.Contains(records, r => r is { Source: "dom0", Call: "admin.label.List", Outcome: "ok", UserId: not null });
        Assert.Equal(AuditEvents.Stop, records[^1].Event);
    }

    [Theory]
    [InlineData("audit-write:1")]
    [InlineData("audit-write:2")]
    [InlineData("audit-write:3")]
    public async Task A_kill_in_the_middle_of_writing_breaks_no_chain(string faultPoint)
    {
        using ScratchRoot root = new();
        await using (QubesdProcess? daemon = await QubesdProcess.TryStartAsync(root, faultPoint, out _))
        {
            if (daemon is not null)
            {
                await daemon.TryCallAsync("admin.vm.List");
                await daemon.Exited.WaitAsync(QubesdProcess.Patience);
            }
        }

        await using (QubesdProcess again = await QubesdProcess.StartAsync(root))
        {
            await again.CallAsync("admin.vm.List");
            Assert.True((await again.StopAsync()).IsSuccess);
        }

        Assert.Empty(AuditLogFiles.Verify(root.Paths).Problems);
        Assert.Contains(AuditLogFiles.Records(root.Paths), r => r.Call == "admin.vm.List");
    }

    [Fact]
    public async Task A_full_disk_delays_the_log_and_nothing_else()
    {
        using ScratchRoot root = new();
        Directory.CreateDirectory(root.Paths.AuditDirectory);
        await using TemporaryMount mount = await TemporaryMount.CreateAsync(root.Paths.AuditDirectory, "tmpfs", "size=256k");
        await using (QubesdProcess daemon = await QubesdProcess.StartAsync(root))
        {
            await daemon.CallAsync("admin.vm.List");
            string filler = Path.Combine(root.Paths.AuditDirectory, "filler");
            Fill(filler);
            for (int i = 0; i < 200; i++)
            {
                await daemon.CallAsync("admin.label.Get", argument: "red");
            }

            File.Delete(filler);
            await daemon.CallAsync("admin.vmclass.List");
            Assert.True((await daemon.StopAsync()).IsSuccess);
        }

        AuditVerifier verifier = AuditLogFiles.Verify(root.Paths);
        Assert.Empty(verifier.Problems);
        Assert.Equal(200, AuditLogFiles.Records(root.Paths).Count(r => r.Call == "admin.label.Get"));
        Assert.Contains(AuditLogFiles.Records(root.Paths), r => r.Call == "admin.vmclass.List");
    }

    [Fact]
    public async Task A_call_over_policy_has_the_line_that_let_it_through()
    {
        using ScratchRoot root = new();
        await using (RunningDaemon daemon = await RunningDaemon.StartAsync(root))
        {
            await daemon.CreateQubesAsync();
            await using (StreamWriter file = new(daemon.Paths.Under("etc/qubes/policy.d/30-user.policy")))
            {
                await file.WriteAsync("# comment\nadmin.vm.feature.List * work work allow target=dom0\n");
            }

            string answer = await RawClient.CallAsync(daemon.Paths.PolicySocket, "source=work\nintended_target=work\nservice_and_arg=admin.vm.feature.List+\n\n");
            Assert.Contains("result=allow", answer, StringComparison.Ordinal);
            await daemon.CallAsync("admin.vm.feature.List", destination: "work", source: "work");
            await RawClient.CallAsync(daemon.Paths.PolicySocket, "source=work\nintended_target=work\nservice_and_arg=admin.vm.Kill+\n\n");
            await daemon.Process.StopAsync();
        }

        AuditRecord[] records = AuditLogFiles.Records(root.Paths);
        Assert.EndsWith("30-user.policy:2", records.Single(r => r.Call == "admin.vm.feature.List").Policy, StringComparison.Ordinal);
        Assert.Equal(AuditEntry.DeniedByPolicy, records.Single(r => r.Call == "admin.vm.Kill").Outcome);
    }

    private static void Fill(string path)
    {
        using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] page = new byte[4096];
        try
        {
            while (true)
            {
                file.Write(page);
            }
        }
        catch (IOException)
        {
            // Full, as wanted.
        }
    }
}
