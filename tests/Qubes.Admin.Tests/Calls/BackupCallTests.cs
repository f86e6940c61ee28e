namespace Qubes.Admin.Tests.Calls;

public sealed class BackupCallTests
{
    [Theory]
    [InlineData("admin.backup.Execute")]
    [InlineData("admin.backup.Info")]
    public async Task A_profile_that_does_not_exist_is_named(string method)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("2\0QubesBackupProfileNotFoundError\0\0Backup profile 'weekly' does not exist\0", await fixture.CallAsync(method, "weekly"));
        string directory = Path.Combine(fixture.Storage.Environment.Paths.ConfigurationDirectory, "backup");
        Directory.CreateDirectory(directory);
        await using (File.Create(Path.Combine(directory, "weekly.conf")))
        {
        }

        Assert.StartsWith("2\0QubesNotImplementedError\0", await fixture.CallAsync(method, "weekly"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Admin_backup_Cancel()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("2\0QubesException\0\0Backup operation not running\0", await fixture.CallAsync("admin.backup.Cancel", "weekly"));
    }

    [Theory]
    [InlineData("admin.backup.Execute")]
    [InlineData("admin.backup.Info")]
    [InlineData("admin.backup.Cancel")]
    public async Task A_profile_is_a_name_and_no_path(string method)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("2\0ProtocolError\0\0Backup profile ID must not contain forward slash character\0", await fixture.CallAsync(method, "../weekly"));
        Assert.Equal("2\0ProtocolError\0\0expected an argument\0", await fixture.CallAsync(method));
        Assert.Equal("2\0ProtocolError\0\0expected destination to be AdminVM\0", await fixture.CallAsync(method, "weekly", "work"));
    }
}
