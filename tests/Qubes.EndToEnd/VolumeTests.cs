using System.Globalization;
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

    [Fact]
    public async Task A_running_guest_sees_a_volume_grow_with_its_file_system()
    {
        const long Larger = 3L << 30;
        ScratchHost host = running.Host;
        (await host.InQubeAsync("work", "echo before > /home/user/before")).Expect();
        (await host.RunAsync("qvm-volume", "resize", "work:private", "3GiB")).Expect();
        Assert.Equal($"{Larger}\n", (await host.RunAsync("qvm-volume", "info", "work:private", "size")).Expect().Output);
        string[] seen = (await host.InQubeAsync("work",
            "for d in /sys/block/vd*; do grep -q private $d/serial && echo $(($(cat $d/size) * 512)); done; df -B1 /rw | awk 'NR > 1 { print $2 }'; cat /home/user/before"))
            .Expect().Output.Split('\n');
        Assert.Equal($"{Larger}", seen[0]);
        Assert.InRange(long.Parse(seen[1], CultureInfo.InvariantCulture), Larger * 9 / 10, Larger);
        Assert.Equal("before", seen[2]);
        Assert.NotEqual(0, (await host.RunAsync("qvm-volume", "resize", "work:private", "1GiB")).Status);
    }
}
