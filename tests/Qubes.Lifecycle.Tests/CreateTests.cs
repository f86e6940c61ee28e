using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Network;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Lifecycle.Tests;

public sealed class CreateTests : IAsyncLifetime
{
    private LifecycleFixture _fixture = null!;

    private string IntentDirectory => Path.Combine(_fixture.Paths.StateDirectory, ".qube-intents");

    public async ValueTask InitializeAsync() => _fixture = await LifecycleFixture.StartAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_new_qube_has_its_directory_and_volumes()
    {
        Assert.True(Directory.Exists(_fixture.DirectoryOf(_fixture.Template)));
        Assert.NotEmpty(Directory.GetFiles(_fixture.DirectoryOf(_fixture.Template), "root*"));
        Assert.NotEmpty(Directory.GetFiles(_fixture.DirectoryOf(_fixture.Work), "private*"));
        await _fixture.OnLoopAsync(() => Assert.True(
            _fixture.Work.Volumes.TryGet("root", out Model.Volumes.VolumeConfig? root) && root.Source == _fixture.Template.DirectoryName + "/root"));
        Assert.Empty(Directory.GetFiles(IntentDirectory));
    }

    [Fact]
    public async Task A_failing_handler_leaves_nothing_on_disk()
    {
        string directory = "";
        await _fixture.OnLoopAsync(async () =>
        {
            _fixture.App.Events.On(EmitterClass.AppVM, "domain-create-on-disk", created =>
            {
                directory = _fixture.DirectoryOf((QubesVM)created.Subject);
                Assert.True(Directory.Exists(directory));
                throw QubesErrors.VM("no");
            });
            await Assert.ThrowsAsync<QubesException>(() => _fixture.CreateAsync(QubeClasses.AppVM, "new", _fixture.Template));
        });
        Assert.NotEqual("", directory);
        Assert.False(Directory.Exists(directory));
        Assert.Empty(Directory.GetFiles(IntentDirectory));
    }

    [Fact]
    public async Task A_discarded_qube_leaves_nothing_on_disk()
    {
        string directory = "";
        await _fixture.OnLoopAsync(async () =>
        {
            Qube qube = _fixture.App.Domains.Create(new NewQube
            {
                Class = QubeClasses.AppVM, Name = QubeName.Parse("discarded"), Label = _fixture.App.Labels.Find("red"), Template = _fixture.Template,
            });
            directory = _fixture.DirectoryOf((QubesVM)qube);
            await _fixture.Lifecycle.CreateOnDiskAsync(qube, pool: null, new Dictionary<string, string>());
            Assert.True(Directory.Exists(directory));
            Assert.NotEmpty(Directory.GetFiles(IntentDirectory));
            await _fixture.Lifecycle.DiscardAsync(qube);
        });
        Assert.False(Directory.Exists(directory));
        Assert.Empty(Directory.GetFiles(IntentDirectory));
    }

    [Fact]
    public async Task A_removed_qube_leaves_neither_data_nor_definition()
    {
        await _fixture.StartAsync(_fixture.Work);
        await _fixture.KillAsync(_fixture.Work);
        Assert.Contains(await _fixture.Hypervisor.GetAllAsync(), sample => sample.Uuid == _fixture.Work.Uuid.Value);
        await _fixture.RemoveAsync(_fixture.Work);
        Assert.False(Directory.Exists(_fixture.DirectoryOf(_fixture.Work)));
        Assert.DoesNotContain(await _fixture.Hypervisor.GetAllAsync(), sample => sample.Uuid == _fixture.Work.Uuid.Value);
        Assert.Empty(Directory.GetFiles(IntentDirectory));
    }

    [Fact]
    public async Task A_template_in_use_is_not_removed()
    {
        QubesException refused = await Assert.ThrowsAsync<QubesException>(() => _fixture.RemoveAsync(_fixture.Template));
        Assert.Equal(QubesErrorNames.VMInUse, refused.WireName);
        Assert.True(Directory.Exists(_fixture.DirectoryOf(_fixture.Template)));
    }

    [Fact]
    public async Task What_the_package_manager_installed_is_not_removed()
    {
        await _fixture.OnLoopAsync(() =>
        {
            QubesVMProperties.InstalledByRpm.SetInput(_fixture.Work, true);
            return true;
        });
        QubesException refused = await Assert.ThrowsAsync<QubesException>(() => _fixture.RemoveAsync(_fixture.Work));
        Assert.Equal("VM installed by package manager: " + _fixture.Work.Name, refused.Message);
    }

    [Fact]
    public async Task A_removal_that_cannot_be_saved_keeps_everything()
    {
        await Assert.ThrowsAsync<IOException>(() => _fixture.OnLoopAsync(() =>
            _fixture.Lifecycle.RemoveAsync(_fixture.Work, () => throw new IOException("disk full"))));
        Assert.True(Directory.Exists(_fixture.DirectoryOf(_fixture.Work)));
        Assert.Empty(Directory.GetFiles(IntentDirectory));
        await _fixture.StartAsync(_fixture.Work);
    }

    [Fact]
    public async Task A_new_qube_of_a_removed_ones_name_waits_until_nothing_is_left_of_that()
    {
        TaskCompletionSource deleting = new();
        TaskCompletionSource goOn = new();
        string name = _fixture.Work.Name;
        QubesVM? second = null;
        await _fixture.OnLoopAsync(async () =>
        {
            _fixture.App.Events.OnAwaited(EmitterClass.AppVM, "domain-remove-from-disk", async _ =>
            {
                deleting.SetResult();
                await goOn.Task;
            });
            Task removal = _fixture.Lifecycle.RemoveAsync(_fixture.Work, () =>
            {
                _fixture.App.Domains.Remove(_fixture.Work);
                return Task.CompletedTask;
            });
            await deleting.Task;
            second = (QubesVM)_fixture.App.Domains.Create(new NewQube
            {
                Class = QubeClasses.AppVM, Name = QubeName.Parse(name), Label = _fixture.App.Labels.Find("red"), Template = _fixture.Template,
            });
            Task creation = _fixture.Lifecycle.CreateOnDiskAsync(second, pool: null, new Dictionary<string, string>());
            goOn.SetResult();
            await removal;
            await creation;
            await _fixture.Lifecycle.ConfirmAsync(second);
        });
        Assert.NotEmpty(Directory.GetFiles(_fixture.DirectoryOf(second!), "private*"));
        await _fixture.StartAsync(second!);
    }

    [Fact]
    public async Task What_could_not_be_deleted_is_gone_before_a_new_qube_of_that_name_is_made()
    {
        string name = _fixture.Work.Name;
        string stale = Path.Combine(_fixture.DirectoryOf(_fixture.Work), "stale");
        await File.WriteAllTextAsync(stale, "");
        await _fixture.OnLoopAsync(async () =>
        {
            using EventHandlerRegistration failing =
                _fixture.App.Events.On(EmitterClass.AppVM, "domain-remove-from-disk", static _ => throw QubesErrors.VM("no"));
            await _fixture.Lifecycle.RemoveAsync(_fixture.Work, () =>
            {
                _fixture.App.Domains.Remove(_fixture.Work);
                return Task.CompletedTask;
            });
        });
        Assert.True(File.Exists(stale));
        await _fixture.OnLoopAsync(async () =>
        {
            Qube second = _fixture.App.Domains.Create(new NewQube
            {
                Class = QubeClasses.AppVM, Name = QubeName.Parse(name), Label = _fixture.App.Labels.Find("red"), Template = _fixture.Template,
            });
            await _fixture.Lifecycle.CreateOnDiskAsync(second, pool: null, new Dictionary<string, string>());
            await _fixture.Lifecycle.ConfirmAsync(second);
        });
        Assert.False(File.Exists(stale));
        Assert.Empty(Directory.GetFiles(IntentDirectory));
    }

    [Fact]
    public async Task A_qube_whose_data_is_being_made_is_started_when_it_is_complete()
    {
        await _fixture.OnLoopAsync(async () =>
        {
            bool isMade = false;
            List<bool> wasMade = [];
            List<Task> starts = [];
            _fixture.App.Events.OnAwaited(EmitterClass.AppVM, "domain-pre-start", _ =>
            {
                wasMade.Add(isMade);
                return Task.CompletedTask;
            });
            _fixture.App.Events.OnAwaited(EmitterClass.AppVM, "domain-create-on-disk", async made =>
            {
                starts.Add(_fixture.Lifecycle.StartAsync((Qube)made.Subject));

                // Many turns of the loop: a start that did not wait would come to its first event.
                for (int i = 0; i < 1000; i++)
                {
                    await Task.Yield();
                }

                isMade = true;
            });
            QubesVM qube = await _fixture.CreateAsync(QubeClasses.AppVM, "new", _fixture.Template);
            await Task.WhenAll(starts);
            Assert.Equal(PowerState.Running, qube.PowerState);
            Assert.Equal([true], wasMade);
        });
    }

    [Fact]
    public async Task A_qube_that_something_came_to_refer_to_while_its_removal_began_stays()
    {
        await _fixture.OnLoopAsync(async () =>
        {
            QubesVM net = await _fixture.CreateAsync(QubeClasses.AppVM, "net", _fixture.Template);
            NetworkProperties.ProvidesNetwork.Set(net, true);
            NetworkProperties.NetVM.Set(net, null);
            _fixture.Hypervisor.Before["forget"] = () =>
            {
                NetworkProperties.NetVM.Set(_fixture.Work, net);
                return Task.CompletedTask;
            };
            QubesException refused = await Assert.ThrowsAsync<QubesException>(() => _fixture.Lifecycle.RemoveAsync(net, () =>
            {
                _fixture.App.Domains.Remove(net);
                return Task.CompletedTask;
            }));
            Assert.Equal(QubesErrorNames.VMInUse, refused.WireName);
            Assert.True(net.IsInCollection);
            Assert.True(Directory.Exists(_fixture.DirectoryOf(net)));
        });
    }

    [Fact]
    public async Task Dom0_cannot_be_removed()
    {
        QubesException refused = await Assert.ThrowsAsync<QubesException>(() => _fixture.RemoveAsync(_fixture.App.Domains.AdminVM));
        Assert.Equal("'dom0' cannot be removed", refused.Message);
    }

    [Fact]
    public async Task Data_of_a_creation_cut_short_is_gone_after_a_restart()
    {
        string directory = "";
        await _fixture.OnLoopAsync(async () =>
        {
            Qube qube = _fixture.App.Domains.Create(new NewQube
            {
                Class = QubeClasses.AppVM, Name = QubeName.Parse("orphan"), Label = _fixture.App.Labels.Find("red"), Template = _fixture.Template,
            });
            directory = _fixture.DirectoryOf((QubesVM)qube);
            await _fixture.Lifecycle.CreateOnDiskAsync(qube, pool: null, new Dictionary<string, string>());
        });
        Assert.True(Directory.Exists(directory));
        await _fixture.RestartAsync();
        Assert.False(Directory.Exists(directory));
        Assert.True(Directory.Exists(_fixture.DirectoryOf(_fixture.Work)));
    }
}
