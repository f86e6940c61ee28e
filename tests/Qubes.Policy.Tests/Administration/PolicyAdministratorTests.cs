using System.Text;
using CsCheck;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qubes.Policy.Administration;

namespace Qubes.Policy.Tests.Administration;

public sealed class PolicyAdministratorTests : IDisposable
{
    private const string Token = "sha256:5e94ed4a96b4ee0fc2a3ed9bd6fb01a2b1e3bd5cf4f8b7f0a2d2a7aff7d2f4bb";

    private readonly ScratchRoot _root = new();
    private readonly PolicyAdministrator _administrator;

    public PolicyAdministratorTests()
    {
        _root.Write("etc/qubes/policy.d/include/used", "a b allow\n");
        _root.Write("etc/qubes/policy.d/30-user.policy", "qubes.X * a b allow\n!include-service qubes.Y * include/used\n");
        _root.Write("etc/qubes/policy.d/90-last.policy", "* * @anyvm @anyvm deny\n");
        _administrator = new PolicyAdministrator(_root.Paths);
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Lists_tell_the_files_by_the_names_they_are_asked_for()
    {
        _root.Write("etc/qubes/policy.d/README", "text");
        _root.Write("etc/qubes/policy.d/.hidden.policy", "");
        Directory.CreateDirectory(_root["etc/qubes/policy.d/50-directory.policy"]);
        Assert.Equal("30-user\n90-last\n", Call("policy.List"));
        Assert.Equal("used\n", Call("policy.include.List"));
    }

    [Fact]
    public void A_file_is_read_with_the_token_by_which_it_is_changed()
    {
        string[] read = Call("policy.include.Get", "used").Split('\n', 2);
        Assert.Equal("sha256:cb2ba5709906e90200fed45a887ebb8bc48b71cfe2632a39522bb69df6359dee", read[0]);
        Assert.Equal("a b allow\n", read[1]);

        Assert.Equal("", Call("policy.include.Replace", "used", read[0] + "\na b deny\n"));
        Assert.Equal("a b deny\n", File.ReadAllText(_root["etc/qubes/policy.d/include/used"]));
        Assert.Equal("PolicyAdminTokenException Token mismatch", Refusal("policy.include.Replace", "used", read[0] + "\na b ask\n"));
        Assert.Equal("a b deny\n", File.ReadAllText(_root["etc/qubes/policy.d/include/used"]));
    }

    [Fact]
    public void A_new_file_is_readable_by_all_and_writable_by_the_group()
    {
        Assert.Equal("", Call("policy.Replace", "31-new", "new\nqubes.Z * a b allow\n"));
        UnixFileMode mode = File.GetUnixFileMode(_root["etc/qubes/policy.d/31-new.policy"]);
        Assert.Equal((UnixFileMode)0x1B4 /* 0664 */, mode);
        Assert.Equal("30-user\n31-new\n90-last\n", Call("policy.List"));
        Assert.Equal("PolicyAdminTokenException File exists but token is 'new'", Refusal("policy.Replace", "31-new", "new\n"));
        Assert.Equal("", Call("policy.Remove", "31-new", "any"));
        Assert.Equal("30-user\n90-last\n", Call("policy.List"));
    }

    [Theory]
    [InlineData("policy.Other", "", "", "PolicyAdminProtocolException unrecognized method: policy.Other")]
    [InlineData("policy.include.GetFiles", "x", "", "PolicyAdminProtocolException unrecognized method: policy.include.GetFiles")]
    [InlineData("policy.List", "x", "", "PolicyAdminProtocolException Unexpected argument")]
    [InlineData("policy.List", "", "x", "PolicyAdminProtocolException Unexpected payload")]
    [InlineData("policy.Get", "30-user", "x", "PolicyAdminProtocolException Unexpected payload")]
    [InlineData("policy.Get", "a b", "", "PolicyAdminProtocolException Invalid argument: \"a b\"\nValid characters are letters, numbers, dot, plus, hyphen and underline")]
    [InlineData("policy.Get", "a.b", "", "PolicyAdminInvalidFileNameException Invalid policy file name: a.b\nNames must contain only alphanumeric characters, underscore and hyphen.")]
    [InlineData("policy.Get", "", "", "PolicyAdminInvalidFileNameException Invalid policy file name: \nNames must contain only alphanumeric characters, underscore and hyphen.")]
    [InlineData("policy.Get", "nowhere", "", "PolicyAdminFileNotFoundException Not found: ROOT/nowhere.policy")]
    [InlineData("policy.include.Get", "nowhere", "", "PolicyAdminFileNotFoundException Not found: ROOT/include/nowhere")]
    [InlineData("policy.Replace", "30-user", "any", "PolicyAdminProtocolException Payload needs to include first line with token")]
    [InlineData("policy.Replace", "30-user", "some\n", "PolicyAdminProtocolException Unrecognized token")]
    [InlineData("policy.Replace", "31-new", Token + "\n", "PolicyAdminTokenException File doesn't exist, but token isn't 'new'")]
    [InlineData("policy.Remove", "30-user", Token, "PolicyAdminTokenException Token mismatch")]
    [InlineData("policy.Remove", "30-user", "any\n", "PolicyAdminProtocolException Unrecognized token")]
    [InlineData("policy.Remove", "nowhere", "any", "PolicyAdminFileNotFoundException Not found: ROOT/nowhere.policy")]
    [InlineData("policy.Replace", "30-user", "any\nqubes.X * a b alow\n", "PolicyAdminSyntaxException Policy change validation failed: ROOT/30-user.policy:1: invalid action: alow")]
    [InlineData("policy.Replace", "30-user", "any\n!include include/gone\n", "PolicyAdminSyntaxException Policy change validation failed: ROOT/30-user.policy:1: not a file: ROOT/include/gone")]
    [InlineData("policy.include.Replace", "used", "any\nqubes.X * a b allow\n", "PolicyAdminSyntaxException Policy change validation failed: ROOT/include/used:1: invalid action: a")]
    [InlineData("policy.include.Remove", "used", "any", "PolicyAdminSyntaxException Policy change validation failed: ROOT/30-user.policy:2: not a file: ROOT/include/used")]
    [InlineData("policy.Replace", "Foo", "new\n", "PolicyAdminSyntaxException Policy change validation failed: ROOT/Foo.policy: invalid filename: ROOT/Foo.policy")]
    [InlineData("policy.GetFiles", "", "", "PolicyAdminProtocolException Service cannot be empty.")]
    [InlineData("policy.GetFiles", "a+b", "", "PolicyAdminProtocolException Service 'a+b' contains invalid characters: ('+',)")]
    public void What_cannot_be_done_is_refused_by_the_class_clients_know(string service, string argument, string payload, string expected)
    {
        string before = Everything();
        Assert.Equal(expected.Replace("ROOT", _root.Paths.PolicyDirectory, StringComparison.Ordinal), Refusal(service, argument, payload));
        Assert.Equal(before, Everything());
    }

    [Fact]
    public void Only_text_of_bounded_length_is_taken()
    {
        Assert.Equal("PolicyAdminProtocolException Content must be UTF-8 text of at most 1048576 bytes",
            Refused("policy.include.Replace", "unused", [.. "new\n"u8, 0xff]));
        Assert.Equal("PolicyAdminProtocolException Content must be UTF-8 text of at most 1048576 bytes",
            Refused("policy.include.Replace", "unused", [.. "new\n"u8, .. new byte[1 << 20], (byte)'\n']));
    }

    [Fact]
    public void Links_out_of_the_directory_are_not_followed()
    {
        _root.Write("etc/secret", "x");
        File.CreateSymbolicLink(_root["etc/qubes/policy.d/out.policy"], _root["etc/secret"]);
        File.CreateSymbolicLink(_root["etc/qubes/policy.d/40-within.policy"], "30-user.policy");
        Assert.Equal($"PolicyAdminInvalidFilePathException Expecting a path inside {_root.Paths.PolicyDirectory}", Refusal("policy.Get", "out"));
        Assert.EndsWith("include/used\n", Call("policy.Get", "40-within"), StringComparison.Ordinal);
    }

    /// <summary>Two errors can be mended one after the other, but none can be added, and none left in the file that is changed.</summary>
    [Fact]
    public void A_broken_policy_can_be_mended_step_by_step()
    {
        _root.Write("etc/qubes/policy.d/40-broken.policy", "nonsense\n");
        _root.Write("etc/qubes/policy.d/41-Broken.policy", "");
        Assert.StartsWith("PolicyAdminSyntaxException", Refusal("policy.Replace", "40-broken", "any\nnonsense\n"), StringComparison.Ordinal);
        Assert.StartsWith("PolicyAdminSyntaxException", Refusal("policy.Replace", "30-user", "any\nnonsense\n"), StringComparison.Ordinal);
        Assert.StartsWith("PolicyAdminSyntaxException", Refusal("policy.GetFiles", "qubes.X"), StringComparison.Ordinal);
        Assert.Equal("", Call("policy.Replace", "40-broken", "any\n# mended\n"));
        Assert.Equal("", Call("policy.Remove", "41-Broken", "any"));
        Assert.Equal("30-user\n90-last\n", Call("policy.GetFiles", "qubes.X"));
    }

    [Fact]
    public void The_files_that_may_decide_a_service_are_told_in_order()
    {
        Assert.Equal("30-user\n90-last\n", Call("policy.GetFiles", "qubes.X"));
        Assert.Equal("used\n90-last\n", Call("policy.GetFiles", "qubes.Y"));
        Assert.Equal("90-last\n", Call("policy.GetFiles", "qubes.Z"));
        _root.Write("etc/qubes-rpc/policy/qubes.Z", "a b allow\n");
        _root.Write("etc/qubes/policy.d/35-compat.policy", "!compat-4.0\n");
        Assert.Equal(_root["etc/qubes-rpc/policy/qubes.Z"] + "\n90-last\n", Call("policy.GetFiles", "qubes.Z"));
    }

    [Fact]
    public void A_backend_registers_an_argument_for_one_frontend_and_once()
    {
        _administrator.Register("vault", "work", "u2f.Authenticate", "key-1"u8);
        _administrator.Register("vault", "work", "u2f.Authenticate", "key-2"u8);
        string file = _root["etc/qubes/policy.d/60-registered-arguments.policy"];
        const string both = "u2f.Authenticate +key-1 work vault allow\nu2f.Authenticate +key-2 work vault allow\n";
        Assert.Equal(both, File.ReadAllText(file));
        Assert.Equal("There is a rule about this argument", RegisterRefused("vault", "other", "u2f.Authenticate", "key-1"));
        Assert.Equal(both, File.ReadAllText(file));
    }

    [Theory]
    [InlineData("vault", "work", "u2f.Authenticate", "")]
    [InlineData("vault", "work", "u2f.Authenticate", "a b")]
    [InlineData("vault", "work", "u2f.Authenticate", "a\nb")]
    [InlineData("vault", "work", "u2f.Authenticate", "a+b")]
    [InlineData("vault", "work", "u2f.Authenticate", "\u00e9")]
    [InlineData("vault", "work", "u2f.Authenticate", "12345678901234567890123456789012345678901234567890123456789012345")]
    [InlineData("vault", "work", "", "key")]
    [InlineData("vault", "work", "u2f+x", "key")]
    [InlineData("vault", "@anyvm", "u2f.Authenticate", "key")]
    [InlineData("vault", "", "u2f.Authenticate", "key")]
    [InlineData("", "work", "u2f.Authenticate", "key")]
    public void Nothing_but_a_plain_rule_comes_of_a_registration(string backend, string frontend, string service, string argument)
    {
        string before = Everything();
        RegisterRefused(backend, frontend, service, argument);
        Assert.Equal(before, Everything());
    }

    [Fact]
    public async Task Changes_wait_for_the_lock_on_the_directory()
    {
        Task<string> listing;
        using (SafeFileHandle held = DirectoryLock.Take(_root.Paths.PolicyDirectory))
        {
            listing = Task.Factory.StartNew(() => Call("policy.List"), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            Assert.False(listing.IsCompleted);
        }

        Assert.Equal("30-user\n90-last\n", await listing);
    }

    /// <summary>Whatever is accepted is there, byte for byte, and can be put back with the token that came with it.</summary>
    [Fact]
    public void What_is_written_is_read() => Gen.String[Gen.Char["ab \t\n#*é=@!"], 0, 40].Sample(
        text =>
        {
            string payload = "any\n" + text;
            try
            {
                Call("policy.Replace", "50-text", payload);
            }
            catch (PolicyAdministrationException refused)
            {
                Assert.Equal("PolicyAdminSyntaxException", refused.WireName);
                return;
            }

            string read = Call("policy.Get", "50-text");
            Assert.Equal(text, read[(read.IndexOf('\n', StringComparison.Ordinal) + 1)..]);
            Assert.Equal("", Call("policy.Replace", "50-text", read));
        },
        threads: 1);

    private string RegisterRefused(string backend, string frontend, string service, string argument) => Assert.Throws<PolicyAdministrationException>(
        () => _administrator.Register(backend, frontend, service, Encoding.Latin1.GetBytes(argument))).Message;

    private string Call(string service, string argument = "", string payload = "") =>
        Encoding.UTF8.GetString(_administrator.Call(service, argument, Encoding.UTF8.GetBytes(payload)));

    private string Refusal(string service, string argument, string payload = "") => Refused(service, argument, Encoding.UTF8.GetBytes(payload));

    private string Refused(string service, string argument, byte[] payload)
    {
        PolicyAdministrationException refused = Assert.Throws<PolicyAdministrationException>(() => _administrator.Call(service, argument, payload));
        return $"{refused.WireName} {refused.Message}";
    }

    private string Everything() => string.Join('\n', Directory.EnumerateFiles(_root.Paths.PolicyDirectory, "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(file => file + ":" + File.ReadAllText(file)));
}
