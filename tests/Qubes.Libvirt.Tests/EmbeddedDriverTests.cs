namespace Qubes.Libvirt.Tests;

/// <summary>libvirt's QEMU driver inside this process, on a scratch root. Guests are booted elsewhere.</summary>
public sealed class EmbeddedDriverTests
{
    [Fact]
    public async Task The_embedded_driver_defines_and_forgets_domains_beneath_its_root()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/qemu-system-x86_64"), "QEMU is not installed");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "The embedded driver needs root");
        var root = Directory.CreateTempSubdirectory("qubes-embed-").FullName;
        try
        {
            EmbeddedDriver.Prepare(root, Path.Combine(root, "libvirt.log"));
            await using var session = await LibvirtSession.OpenAsync(HypervisorUri.Embedded(root));
            Assert.Equal("QEMU", session.DriverName);
            var capabilities = await session.Lanes.RunAsync("any", "capabilities", connection => connection.GetCapabilities());
            Assert.Contains("x86_64", capabilities, StringComparison.Ordinal);
            var uuid = Guid.NewGuid();
            await session.Lanes.RunAsync("work", "define", connection =>
            {
                using var domain = connection.Define(
                    $"<domain type='qemu'><name>work</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os></domain>");
                return domain.Uuid;
            });
            Assert.True(File.Exists(Path.Combine(root, "etc/qemu/work.xml")));
            await session.Lanes.RunAsync("work", "undefine", connection =>
            {
                using var domain = connection.Find(uuid)!;
                domain.Undefine();
                return true;
            });
            Assert.False(File.Exists(Path.Combine(root, "etc/qemu/work.xml")));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public void The_root_is_found_in_the_uri()
    {
        var uri = HypervisorUri.Embedded("/srv/a b&c");
        Assert.Equal("/srv/a b&c", HypervisorUri.EmbeddedRoot(uri));
        Assert.Null(HypervisorUri.EmbeddedRoot("qemu:///system"));
        Assert.True(HypervisorUri.IsQemu(uri));
        Assert.False(HypervisorUri.IsQemu("test:///default"));
        Assert.True(HypervisorUri.IsTest("test:///default"));
        Assert.True(HypervisorUri.IsTest("test+unix:///default?socket=/s"));
        Assert.False(HypervisorUri.IsTest("testing:///default"));
    }

    [Fact]
    public void Guests_do_not_run_as_root_where_another_user_can_reach_their_disks()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "The embedded driver needs root");
        var root = Directory.CreateTempSubdirectory("qubes-embed-").FullName;
        try
        {
            var driver = Path.Combine(root, "driver");
            string Written() => File.ReadAllText(Path.Combine(driver, "etc/qemu.conf"));
            EmbeddedDriver.Prepare(driver, Path.Combine(root, "libvirt.log"));
            Assert.Contains("user = \"root\"", Written(), StringComparison.Ordinal);

            File.SetUnixFileMode(root, (UnixFileMode)0x1ED /* 0755 */);
            EmbeddedDriver.Prepare(driver, Path.Combine(root, "libvirt.log"));
            Assert.Contains("user = \"+64055\"", Written(), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Theory]
    [InlineData("root", (UnixFileMode)0x1B0 /* 0660 */, "")]
    [InlineData("root", (UnixFileMode)0x1B6 /* 0666 */, "")]
    [InlineData("root", (UnixFileMode)0x180 /* 0600 */, "Only root can open")]
    [InlineData("no-such-account", (UnixFileMode)0x1B0, "There is no account no-such-account")]
    public void What_the_host_lacks_is_told(string account, UnixFileMode mode, string told)
    {
        string device = Path.GetTempFileName();
        try
        {
            File.SetUnixFileMode(device, mode);
            string[] obstacles = [.. EmbeddedDriver.FindObstacles(account, device)];
            Assert.Equal(told.Length == 0 ? 0 : 1, obstacles.Length);
            Assert.All(obstacles, obstacle => Assert.StartsWith(told, obstacle, StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(device);
        }

        Assert.DoesNotContain(EmbeddedDriver.FindObstacles("root", device), obstacle => obstacle.Contains(device, StringComparison.Ordinal));
    }
}
