using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Services;

namespace Qubes.Qrexec.Tests.Services;

public sealed class ServiceLookupTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly ServiceLookup _lookup;

    public ServiceLookupTests() => _lookup = new ServiceLookup(new ServicePaths(
        [_scratch.Path("first"), _scratch.Path("second")], [_scratch.Path("conf1"), _scratch.Path("conf2")]));

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_service_for_the_argument_in_a_later_directory_beats_a_generic_one_in_the_first()
    {
        _scratch.File("first/test.S", "", executable: true);
        string specific = _scratch.File("second/test.S+arg", "", executable: true);
        Assert.Equal(new ExecutableService(specific), _lookup.FindService(Call("test.S+arg vm")));
    }

    [Fact]
    public void Without_argument_the_name_with_a_plus_is_preferred()
    {
        _scratch.File("first/test.S", "", executable: true);
        string plus = _scratch.File("first/test.S+", "", executable: true);
        Assert.Equal(new ExecutableService(plus), _lookup.FindService(Call("test.S vm")));
    }

    [Fact]
    public void An_argument_that_can_be_no_file_name_falls_back_to_the_bare_service()
    {
        string path = _scratch.File("first/test.S", "", executable: true);
        Assert.Equal(new ExecutableService(path), _lookup.FindService(Call("test.S+" + new string('a', 300) + " vm")));
        Assert.Equal(new ExecutableService(path), _lookup.FindService(Call("test.S+https://example.org/../x vm")));
    }

    [Fact]
    public void A_missing_service_and_a_dangling_link_are_not_found()
    {
        _scratch.Link("first/test.Dangling", _scratch.Path("nowhere"));
        Assert.Equal(127, Failure("test.None vm"));
        Assert.Equal(127, Failure("test.Dangling vm"));
    }

    [Fact]
    public void A_broken_link_is_an_error_although_a_generic_service_exists()
    {
        _scratch.Link("first/test.S+arg", "/dev/null/x");
        _scratch.File("second/test.S", "", executable: true);
        Assert.Equal(125, Failure("test.S+arg vm"));
    }

    [Fact]
    public void A_file_that_is_not_executable_is_an_error()
    {
        _scratch.File("first/test.S", "");
        Assert.Equal(125, Failure("test.S vm"));
    }

    [Fact]
    public void A_directory_is_no_service()
    {
        Directory.CreateDirectory(_scratch.Path("first/test.S"));
        Assert.Equal(125, Failure("test.S vm"));
    }

    [Fact]
    public void A_link_to_a_socket_is_a_socket_service()
    {
        using Qubes.Linux.UnixListener listener = Qubes.Linux.UnixListener.Bind(_scratch.Path("api.sock"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string link = _scratch.Link("first/admin.vm.List", "../api.sock");
        Assert.Equal(new UnixSocketService(link), _lookup.FindService(Call("admin.vm.List+ vm name dom0")));
    }

    [Theory]
    [InlineData("/dev/tcp/127.0.0.1/80", "test.S vm", "127.0.0.1", 80)]
    [InlineData("/dev/tcp/127.0.0.1", "test.S+65535 vm", "127.0.0.1", 65535)]
    [InlineData("/dev/tcp", "test.S+127.0.0.1+22 vm", "127.0.0.1", 22)]
    [InlineData("/dev/tcp", "test.S+++1+22 vm", "::1", 22)]
    public void The_three_forms_of_tcp_services(string link, string call, string host, int port)
    {
        _scratch.Link("first/test.S", link);
        TcpService service = Assert.IsType<TcpService>(_lookup.FindService(Call(call)));
        Assert.Equal(new TcpService(System.Net.IPAddress.Parse(host), port), service);
    }

    [Theory]
    [InlineData("/dev/tcp/", "test.S+1 vm")]
    [InlineData("/dev/tcp/localhost/1", "test.S vm")]
    [InlineData("/dev/tcp/127.0.0.1/80", "test.S+x vm")]
    [InlineData("/dev/tcp/127.0.0.1", "test.S vm")]
    [InlineData("/dev/tcp/127.0.0.1", "test.S+0 vm")]
    [InlineData("/dev/tcp/127.0.0.1", "test.S+080 vm")]
    [InlineData("/dev/tcp/127.0.0.1", "test.S+65536 vm")]
    [InlineData("/dev/tcp", "test.S+80 vm")]
    [InlineData("/dev/tcp", "test.S++80 vm")]
    [InlineData("/dev/tcp", "test.S+127_0+80 vm")]
    public void Broken_tcp_services_are_errors(string link, string call)
    {
        _scratch.Link("first/test.S", link);
        Assert.Equal(125, Failure(call));
    }

    [Fact]
    public void The_configuration_for_the_argument_is_the_only_one_used()
    {
        _scratch.File("conf1/test.S", "wait-for-session=1\n");
        _scratch.File("conf2/test.S+arg", "force-user='root'\n");
        Assert.Equal(new ServiceConfiguration { ForceUser = "root" }, _lookup.LoadConfiguration(Call("test.S+arg vm")));
        Assert.Equal(new ServiceConfiguration { WaitForSession = true }, _lookup.LoadConfiguration(Call("test.S+other vm")));
        Assert.Equal(ServiceConfiguration.Default, _lookup.LoadConfiguration(Call("test.Other vm")));
    }

    [Fact]
    public void A_configuration_that_can_not_be_examined_is_an_error()
    {
        _scratch.Link("conf1/test.S", "/dev/null/x");
        Assert.Equal(125, Assert.Throws<ServiceException>(() => _lookup.LoadConfiguration(Call("test.S vm"))).ExitCode);
    }

    internal static QrexecServiceCall Call(string text) =>
        QrexecCommand.Parse(QrexecCommand.ToBytes("QUBESRPC " + text), hasUser: false)!.Service!;

    private int Failure(string call) => Assert.Throws<ServiceException>(() => _lookup.FindService(Call(call))).ExitCode;
}
