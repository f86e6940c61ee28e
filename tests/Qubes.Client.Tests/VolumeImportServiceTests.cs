using System.Text;
using Qubes.Client.Services;
using Qubes.Client.Transport;

namespace Qubes.Client.Tests;

public sealed class VolumeImportServiceTests : IDisposable
{
    private readonly FakeDaemon _daemon = new("qubesd.internal.sock");
    private readonly string _target;
    private readonly VolumeImportService _service;

    public VolumeImportServiceTests()
    {
        _target = Path.Combine(_daemon.Root, "target.img");
        using (FileStream file = File.Create(_target))
        {
            file.SetLength(8);
        }

        _daemon.Answer("internal.vm.volume.ImportBegin+root work", $"8 {_target}").Answer("internal.vm.volume.ImportEnd+root work", "");
        _service = new VolumeImportService(
            new SocketTransport(Path.Combine(_daemon.Root, "run", "qubesd.internal.sock"), "/", "mgmt"), "work", "root");
    }

    public void Dispose() => _daemon.Dispose();

    [Fact]
    public async Task Data_of_the_right_size_is_put_where_the_daemon_says()
    {
        Assert.Equal((0, "0\0"), await RunAsync("8\n01234567", withSize: true));
        Assert.Equal("01234567", await File.ReadAllTextAsync(_target));
        Assert.Equal(["mgmt: internal.vm.volume.ImportBegin+root work 8", "mgmt: internal.vm.volume.ImportEnd+root work ok"], _daemon.Requests);
    }

    [Theory]
    [InlineData("0123", "not enough data (copied 4 bytes, expected 8 bytes)")]
    [InlineData("012345678", "too much data (expected 8 bytes)")]
    public async Task Data_of_another_size_fails_the_import(string data, string reason)
    {
        await RunAsync(data, withSize: false);
        Assert.Equal($"mgmt: internal.vm.volume.ImportEnd+root work fail\n{reason}", _daemon.Requests[^1]);
    }

    [Fact]
    public async Task A_target_that_is_not_there_is_not_created()
    {
        File.Delete(_target);
        await RunAsync("01234567", withSize: false);
        Assert.Contains("fail\nerror copying data", _daemon.Requests[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(_target));
    }

    [Fact]
    public async Task A_refusal_is_the_callers_reply()
    {
        _daemon.Fail("internal.vm.volume.ImportBegin+root work", "QubesVMNotHaltedError", "Domain is not powered off: 'work'");
        Assert.Equal((1, "2\0QubesVMNotHaltedError\0\0Domain is not powered off: 'work'\0"), await RunAsync("01234567", withSize: false));
        Assert.Single(_daemon.Requests);
    }

    private async Task<(int, string)> RunAsync(string input, bool withSize)
    {
        using MemoryStream output = new();
        int status = await _service.RunAsync(new MemoryStream(Encoding.UTF8.GetBytes(input)), output, withSize);
        return (status, Encoding.UTF8.GetString(output.ToArray()));
    }
}
