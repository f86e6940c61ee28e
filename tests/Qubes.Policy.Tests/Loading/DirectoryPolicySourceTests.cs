using System.Net.Sockets;
using Qubes.Policy.Loading;

namespace Qubes.Policy.Tests.Loading;

public sealed class DirectoryPolicySourceTests : IDisposable
{
    private readonly ScratchRoot _root = new();

    public void Dispose() => _root.Dispose();

    private string[] Services()
    {
        LoadedPolicy policy = PolicyLoader.Load(_root.Source);
        Assert.Empty(policy.Errors);
        return [.. policy.Rules.Rules.Select(r => r.Service ?? "*")];
    }

    [Fact]
    public void Both_directories_are_read_and_the_runtime_one_comes_first()
    {
        _root.Write("etc/qubes/policy.d/10-a.policy", "etc + a b allow");
        _root.Write("etc/qubes/policy.d/20-b.policy", "hidden + a b allow");
        _root.Write("run/qubes/policy.d/20-b.policy", "run + a b allow");
        Assert.Equal(["etc", "run"], Services());
    }

    [Fact]
    public void Without_the_runtime_directory_the_other_one_counts()
    {
        _root.Write("etc/qubes/policy.d/10-a.policy", "etc + a b allow");
        Directory.Delete(_root["run/qubes/policy.d"]);
        Assert.Equal(["etc"], Services());
    }

    [Fact]
    public void Without_the_main_directory_everything_is_denied()
    {
        Directory.Delete(_root["etc/qubes/policy.d"]);
        LoadedPolicy policy = PolicyLoader.Load(_root.Source);
        Assert.True(policy.IsUnreadable);
        Assert.StartsWith($"{_root["etc/qubes/policy.d"]}: failed to load", Assert.Single(policy.Errors).ToString());
    }

    [Fact]
    public void What_is_no_file_is_ignored()
    {
        _root.Write("etc/qubes/policy.d/10-a.policy", "etc + a b allow");
        Directory.CreateDirectory(_root["etc/qubes/policy.d/20-dir.policy"]);
        File.CreateSymbolicLink(_root["etc/qubes/policy.d/30-dangling.policy"], "/nothere/at/all");
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_root["etc/qubes/policy.d/40-socket.policy"]));
        Assert.Equal(["etc"], Services());
    }

    [Fact]
    public void A_link_to_a_file_is_a_file_and_the_message_names_the_link()
    {
        _root.Write("elsewhere/text", "\nnonsense");
        File.CreateSymbolicLink(_root["etc/qubes/policy.d/10-a.policy"], _root["elsewhere/text"]);
        Assert.Equal(
            $"{_root["etc/qubes/policy.d/10-a.policy"]}:2: wrong number of fields",
            Assert.Single(PolicyLoader.Load(_root.Source).Errors).ToString());
    }

    [Fact]
    public void An_absolute_include_is_below_the_root_and_links_are_followed()
    {
        _root.Write("etc/qubes/policy.d/include/x", "included + a b allow");
        _root.Write("run/qubes/policy.d/10-a.policy", "!include /etc/qubes/policy.d/include/x\n!include linked/x");
        Directory.CreateSymbolicLink(_root["run/qubes/policy.d/linked"], "../../../etc/qubes/policy.d/include");
        Assert.Equal(["included", "included"], Services());
        Assert.Equal(
            _root["etc/qubes/policy.d/include/x"],
            PolicyLoader.Load(_root.Source).Rules.Rules[1].Place.File);
    }

    [Fact]
    public void A_circle_of_links_is_an_error_with_its_line()
    {
        _root.Write("etc/qubes/policy.d/10-a.policy", "\n!include one");
        File.CreateSymbolicLink(_root["etc/qubes/policy.d/one"], "two");
        File.CreateSymbolicLink(_root["etc/qubes/policy.d/two"], "one");
        Assert.StartsWith(
            $"{_root["etc/qubes/policy.d/10-a.policy"]}:2: cannot follow 'one'", Assert.Single(PolicyLoader.Load(_root.Source).Errors).ToString());
    }

    [Fact]
    public void The_same_file_reached_by_a_link_is_noticed_when_it_includes_itself()
    {
        _root.Write("etc/qubes/policy.d/10-a.policy", "!include again");
        File.CreateSymbolicLink(_root["etc/qubes/policy.d/again"], "10-a.policy");
        Assert.Contains("file includes itself", Assert.Single(PolicyLoader.Load(_root.Source).Errors).ToString());
    }
}
