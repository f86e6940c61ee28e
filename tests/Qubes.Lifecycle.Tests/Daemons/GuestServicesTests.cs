using Qubes.Lifecycle.Qrexec;
using Qubes.Linux;

namespace Qubes.Lifecycle.Tests.Daemons;

/// <summary>What calls services in guests in the daemon's name.</summary>
public sealed class GuestServicesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-services-").FullName;

    public GuestServicesTests() => File.SetUnixFileMode(_directory, (UnixFileMode)0x1ED /* 0755 */);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task It_reads_what_guests_send_without_roots_rights_or_a_way_to_them()
    {
        Assert.SkipUnless(UserAccount.IsRoot, "Only root becomes somebody else");
        string client = Path.Combine(_directory, "qrexec-client");
        AtomicFile.Write(client, "#!/bin/sh\nid -u; id -G; grep NoNewPrivs /proc/self/status; cat; echo \"$@\"\n"u8, (UnixFileMode)0x1ED /* 0755 */);
        DaemonAccount account = new(new UserAccount("stranger", 64_137, 64_139, "/", "/bin/sh", [64_138]), 64_138);
        CapturedProcess run = await new GuestServices(client, new QubesPaths(_directory), account)
            .RunAsync("work", "test.Service", GuestServices.DefaultUser, "input\n"u8.ToArray(), TimeSpan.FromSeconds(30));
        Assert.Equal("64137\n64139 64138\nNoNewPrivs:\t1\ninput\n-d work DEFAULT:QUBESRPC test.Service+ dom0\n", run.OutputText);
    }
}
