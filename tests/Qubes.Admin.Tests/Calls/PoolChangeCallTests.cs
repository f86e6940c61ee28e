using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Tests.Calls;

public sealed class PoolChangeCallTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-pools-").FullName;
    private AdminFixture _fixture = null!;

    private string Fast => Path.Combine(_directory, "fast");

    private string FastConfig => $"name=fast\ndir_path={Fast}\nrevisions_to_keep=3\n";

    public async ValueTask InitializeAsync() => _fixture = await AdminFixture.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _fixture.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private Task<string> AddAsync(string payload, string driver = "file-qcow2") => _fixture.CallAsync("admin.pool.Add", driver, payload: payload);

    [Fact]
    public async Task Admin_pool_Add()
    {
        List<string> seen = [];
        await _fixture.OnLoopAsync(app => app.Events.On(EmitterClass.Qubes, "pool-*", happened => seen.Add($"{happened.Name} {happened.Arguments["pool"] is not null}")));
        Assert.Equal("0\0", await AddAsync(FastConfig));
        Assert.Equal("0\0varlibqubes\nfast\n", await _fixture.CallAsync("admin.pool.List"));
        Assert.Contains("revisions_to_keep=3\n", await _fixture.CallAsync("admin.pool.Info", "fast"), StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(Fast, "appvms")));
        Assert.Equal(["pool-add True"], seen);
        Assert.Equal(1, _fixture.Commits);
        Assert.Equal("2\0QubesPoolInUseError\0\0Storage pool is in use: 'fast'\0", await AddAsync(FastConfig));
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'available drivers'\0", await AddAsync(FastConfig, driver: "tape"));
    }

    [Theory]
    [InlineData("", "ProtocolError", "expected payload")]
    [InlineData("name=a\n\n", "ProtocolError", "Options must be separated by equal sign")]
    [InlineData("name", "ProtocolError", "Options must be separated by equal sign")]
    [InlineData("name=a\ndir_path=/x\ndir_path=/y", "ProtocolError", "Options must be unique")]
    [InlineData("name=a\rname=b", "ProtocolError", "Options must be unique")]
    [InlineData("dir_path=/x", "ProtocolError", "Pool configuration must contain key: name")]
    [InlineData("name=\ndir_path=/x", "ProtocolError", "Pool name must be set")]
    [InlineData("name=a/b\ndir_path=/x", "ProtocolError",
        "Pool name must be in safe set: abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")]
    [InlineData("name=a\ndir_path=/x\nspeed=9", "ProtocolError", "Unexpected driver options found")]
    [InlineData("name=a\ndriver=file\ndir_path=/x", "ProtocolError", "Unexpected driver options found")]
    [InlineData("name=\u00e4\ndir_path=/x", "ProtocolError", "Pool parameters contains non-ASCII characters")]
    [InlineData("name=a", "QubesException", "missing required driver options: dir_path")]
    [InlineData("name=a\ndir_path=here", "StoragePoolException", "dir_path must be an absolute path")]
    [InlineData("name=a\ndir_path=/x\u0001", "StoragePoolException", "dir_path must be an absolute path")]
    [InlineData("name=a\ndir_path=/x\nrevisions_to_keep=many", "QubesValueError", "Invalid value for revisions_to_keep")]
    [InlineData("name=a\ndir_path=/x\nrevisions_to_keep=-2", "QubesValueError", "Invalid value for revisions_to_keep")]
    [InlineData("name=a\ndir_path=/x\nephemeral_volatile=true", "QubesValueError", "Invalid value for ephemeral_volatile")]
    [InlineData("name=a\ndir_path=/no/such/place", "StoragePoolException", "The directory above dir_path is missing")]
    public async Task A_new_pool_is_checked_and_a_refused_one_leaves_no_trace(string payload, string error, string message)
    {
        Assert.Equal($"2\0{error}\0\0{message}\0", await AddAsync(payload));
        Assert.Equal("0\0varlibqubes\n", await _fixture.CallAsync("admin.pool.List"));
        Assert.Single(_fixture.Storage.Pools);
        Assert.Equal(0, _fixture.Commits);
    }

    [Fact]
    public async Task A_pool_that_cannot_be_recorded_is_not_there()
    {
        _fixture.DiskIsFull = true;
        Assert.StartsWith("2\0QubesException\0", await AddAsync(FastConfig), StringComparison.Ordinal);
        Assert.Equal("0\0varlibqubes\n", await _fixture.CallAsync("admin.pool.List"));
        Assert.Single(_fixture.Storage.Pools);
        _fixture.DiskIsFull = false;
        Assert.Equal("0\0", await AddAsync(FastConfig));
    }

    [Fact]
    public async Task Admin_pool_Remove()
    {
        await AddAsync(FastConfig);
        List<string> seen = [];
        await _fixture.OnLoopAsync(app => app.Events.On(EmitterClass.Qubes, "pool-*", happened => seen.Add(happened.Name)));
        Assert.Equal("0\0", await _fixture.CallAsync("admin.pool.Remove", "fast"));
        Assert.Equal(["pool-pre-delete", "pool-delete"], seen);
        Assert.Single(_fixture.Storage.Pools);
        Assert.True(Directory.Exists(Fast));
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'pools'\0", await _fixture.CallAsync("admin.pool.Remove", "fast"));
        Assert.Equal("0\0", await AddAsync(FastConfig));
    }

    [Fact]
    public async Task A_pool_in_use_stays_also_beside_remote_qubes()
    {
        await AddAsync(FastConfig);
        await _fixture.AddQubeAsync("far", QubeClasses.RemoteVM);
        await _fixture.OnLoopAsync(app =>
        {
            QubesVM work = (QubesVM)app.Domains["work"];
            Assert.True(work.Volumes.TryGet("private", out Model.Volumes.VolumeConfig? volume));
            work.Volumes.Set(volume with { Pool = "fast" });
        });
        Assert.Equal("2\0QubesPoolInUseError\0\0Storage pool is in use: 'fast'\0", await _fixture.CallAsync("admin.pool.Remove", "fast"));
        await _fixture.OnLoopAsync(app => ((QubesVM)app.Domains["work"]).Volumes.Remove("private"));
        await _fixture.OnLoopAsync(app => QubesAppProperties.DefaultPoolVolatile.SetInput(app, "fast"));
        Assert.Equal("2\0QubesPoolInUseError\0\0Storage pool is in use: set as default_pool_volatile\0", await _fixture.CallAsync("admin.pool.Remove", "fast"));
        await _fixture.OnLoopAsync(QubesAppProperties.DefaultPoolVolatile.Reset);
        Assert.Equal("0\0", await _fixture.CallAsync("admin.pool.Remove", "fast"));
    }

    [Fact]
    public async Task A_handler_may_keep_a_pool()
    {
        await AddAsync(FastConfig);
        await _fixture.OnLoopAsync(app => app.Events.On(EmitterClass.Qubes, "pool-pre-delete", _ => throw QubesErrors.General("it is precious")));
        Assert.Equal("2\0QubesException\0\0it is precious\0", await _fixture.CallAsync("admin.pool.Remove", "fast"));
        Assert.Equal(2, _fixture.Storage.Pools.Count());
        Assert.Equal("0\0varlibqubes\nfast\n", await _fixture.CallAsync("admin.pool.List"));
    }

    [Fact]
    public async Task Admin_pool_Set_revisions_to_keep()
    {
        const string call = "admin.pool.Set.revisions_to_keep";
        Assert.Equal("0\0", await _fixture.CallAsync(call, "varlibqubes", payload: "-1"));
        Assert.Contains("revisions_to_keep=-1\n", await _fixture.CallAsync("admin.pool.Info", "varlibqubes"), StringComparison.Ordinal);
        Assert.Equal(-1, _fixture.Storage.Find("varlibqubes").RevisionsToKeep);
        Assert.Equal("2\0ProtocolError\0\0Value can't be lower than -1\0", await _fixture.CallAsync(call, "varlibqubes", payload: "-2"));
        Assert.Equal("2\0ProtocolError\0\0Revisions to keep contains non ASCII digits\0", await _fixture.CallAsync(call, "varlibqubes", payload: "2\n"));
        Assert.Equal("2\0QubesValueError\0\0Invalid value for revisions_to_keep\0", await _fixture.CallAsync(call, "varlibqubes", payload: "9999999999"));
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'pools'\0", await _fixture.CallAsync(call, "nowhere", payload: "1"));
        await AddAsync($"name=kernels\ndir_path={_directory}", driver: "linux-kernel");
        Assert.Equal("2\0QubesValueError\0\0Pools of driver linux-kernel have no revisions_to_keep\0", await _fixture.CallAsync(call, "kernels", payload: "1"));
        _fixture.DiskIsFull = true;
        Assert.StartsWith("2\0QubesException\0", await _fixture.CallAsync(call, "varlibqubes", payload: "7"), StringComparison.Ordinal);
        Assert.Equal(-1, _fixture.Storage.Find("varlibqubes").RevisionsToKeep);
    }

    [Fact]
    public async Task Admin_pool_Set_ephemeral_volatile()
    {
        const string call = "admin.pool.Set.ephemeral_volatile";
        Assert.Equal("0\0", await _fixture.CallAsync(call, "varlibqubes", payload: "true"));
        Assert.Contains("ephemeral_volatile=True\n", await _fixture.CallAsync("admin.pool.Info", "varlibqubes"), StringComparison.Ordinal);
        Assert.Contains("ephemeral=True\n", await _fixture.CallAsync("admin.vm.volume.Info", "volatile", "work"), StringComparison.Ordinal);
        Assert.Equal("2\0ProtocolError\0\0Payload is not boolean ASCII\0", await _fixture.CallAsync(call, "varlibqubes", payload: "2"));
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'pools'\0", await _fixture.CallAsync(call, "nowhere", payload: "1"));
    }

    [Fact]
    public async Task Admin_pool_volume_List()
    {
        Assert.Equal("0\0", await _fixture.CallAsync("admin.pool.volume.List", "varlibqubes"));
        await _fixture.Loop.InvokeAsync(async () =>
        {
            await _fixture.Lifecycle.StorageOf((QubesVM)_fixture.App.Domains["debian"])["root"].CreateAsync();
            await _fixture.Lifecycle.StorageOf((QubesVM)_fixture.App.Domains["work"])["private"].CreateAsync();
        });
        Assert.Equal("0\0appvms/work/private\nvm-templates/debian/root\n", await _fixture.CallAsync("admin.pool.volume.List", "varlibqubes"));
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'pools'\0", await _fixture.CallAsync("admin.pool.volume.List", "nowhere"));
    }
}
