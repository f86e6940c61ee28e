using Qubes.EndToEnd.Hosts;

namespace Qubes.EndToEnd;

/// <summary>What lasts and what does not: the root of a qube is its template's at each start, its private volume is its own.</summary>
[Collection(HostCollection.Name)]
public sealed class VolumeTests(RunningHost running)
{
    [Fact]
    public async Task Private_data_last_and_changes_of_the_template_arrive_at_the_next_start()
    {
        ScratchHost host = running.Host;
        await running.CreateAsync("lasting");
        (await host.RunAsync("qvm-start", "lasting", "minimal")).Expect();
        (await host.InQubeAsync("lasting", "echo kept > /home/user/kept")).Expect();
        (await host.InQubeAsync("lasting", "echo lost > /etc/lost", "root")).Expect();
        (await host.InQubeAsync("minimal", "echo from the template > /etc/changed", "root")).Expect();
        (await host.InQubeAsync("lasting", "test ! -e /etc/changed")).Expect();

        (await host.RunAsync("qvm-shutdown", "--wait", "minimal")).Expect();
        (await host.RunAsync("qvm-shutdown", "--wait", "lasting")).Expect();
        (await host.RunAsync("qvm-start", "lasting")).Expect();
        Assert.Equal("kept\n", (await host.InQubeAsync("lasting", "cat /home/user/kept")).Expect().Output);
        Assert.Equal("from the template\n", (await host.InQubeAsync("lasting", "cat /etc/changed")).Expect().Output);
        (await host.InQubeAsync("lasting", "test ! -e /etc/lost")).Expect();
        (await host.RunAsync("qvm-kill", "lasting")).Expect();
        (await host.RunAsync("qvm-remove", "--force", "lasting")).Expect();
    }
}
