using Qubes.Policy.Loading;

namespace Qubes.Policy.Tests.Loading;

public sealed class PolicyLoaderTests
{
    private static string[] Lines(LoadedPolicy policy)
    {
        Assert.Empty(policy.Errors);
        return [.. policy.Rules.Rules.Select(r => $"{r.Place}: {r.ToString().Replace('\t', ' ')}")];
    }

    private static string[] Errors(LoadedPolicy policy)
    {
        Assert.Empty(policy.Rules.Rules);
        Assert.False(policy.IsValid);
        return [.. policy.Errors.Select(e => e.ToString())];
    }

    [Fact]
    public void Comments_empty_lines_and_leading_blanks_do_not_matter() =>
        Assert.Equal(
            ["/etc/qubes/policy.d/30-user.policy:4: s + a b allow", "/etc/qubes/policy.d/30-user.policy:6: s + a c deny"],
            Lines(Policies.Load("# comment", "", "   # another", "   s + a b allow  ", "\t", "s + a c deny")));

    [Theory]
    [InlineData("s + a b allow\r\ns + a c deny\r\n")]
    [InlineData("s + a b allow\rs + a c deny\r")]
    [InlineData("s + a b allow\ns + a c deny")]
    public void Every_kind_of_line_end_is_one(string text) =>
        Assert.Equal(
            [1, 2], PolicyLoader.Load(new MemoryPolicySource().With("30-user.policy", text)).Rules.Rules.Select(r => r.Place.Line!.Value));

    [Fact]
    public void Files_are_read_in_order_of_name_whatever_their_directory_and_the_runtime_one_hides_the_other()
    {
        LoadedPolicy policy = PolicyLoader.Load(new MemoryPolicySource()
            .With("/etc/qubes/policy.d/20-b.policy", "etc2 + a b allow")
            .With("/etc/qubes/policy.d/10-a.policy", "etc1 + a b allow")
            .With("/run/qubes/policy.d/20-b.policy", "run2 + a b allow")
            .With("/run/qubes/policy.d/15-c.policy", "run1 + a b allow"));
        Assert.Equal(["etc1", "run1", "run2"], policy.Rules.Rules.Select(r => r.Service));
    }

    [Fact]
    public void Hidden_files_other_endings_and_directories_are_ignored()
    {
        LoadedPolicy policy = PolicyLoader.Load(new MemoryPolicySource()
            .With("10-a.policy", "s + a b allow")
            .With(".11-hidden.policy", "nonsense")
            .With("12-Save.policy.rpmsave", "nonsense")
            .With("README", "nonsense")
            .With("include/x.policy", "nonsense")
            .With("13-dir.policy/x", "nonsense"));
        Assert.Single(Lines(policy));
    }

    [Fact]
    public void A_name_that_is_not_allowed_makes_the_whole_policy_invalid() =>
        Assert.Equal(
            ["/etc/qubes/policy.d/30-User.policy: invalid filename: /etc/qubes/policy.d/30-User.policy"],
            Errors(PolicyLoader.Load(new MemoryPolicySource().With("10-a.policy", "s + a b allow").With("30-User.policy", ""))));

    [Fact]
    public void A_missing_directory_is_an_error_only_if_it_is_needed()
    {
        MemoryPolicySource needed = new() { Directories = [new PolicyDirectory("/etc/qubes/policy.d", Required: true)] };
        string error = Assert.Single(Errors(PolicyLoader.Load(needed)));
        Assert.StartsWith("/etc/qubes/policy.d: failed to load /etc/qubes/policy.d file: ", error);
        Assert.Empty(Lines(PolicyLoader.Load(new MemoryPolicySource())));
    }

    [Fact]
    public void All_errors_of_all_files_are_collected_and_there_are_no_rules() =>
        Assert.Equal(
            [
                "/etc/qubes/policy.d/10-a.policy:1: wrong number of fields",
                "/etc/qubes/policy.d/10-a.policy:3: invalid action: permit",
                "/etc/qubes/policy.d/20-b.policy:2: invalid directive",
            ],
            Errors(PolicyLoader.Load(new MemoryPolicySource()
                .With("10-a.policy", "nonsense\ns + a b allow\ns + a b permit").With("20-b.policy", "s + a b allow\n!nonsense"))).Order());

    [Fact]
    public void An_included_file_stands_in_the_place_of_the_directive_and_keeps_its_own_lines()
    {
        LoadedPolicy policy = PolicyLoader.Load(new MemoryPolicySource()
            .With("10-a.policy", "one + a b allow\n!include include/x\ntwo + a b allow")
            .With("include/x", "# x\nmiddle + a b allow\n!include include/y")
            .With("include/y", "inner + a b allow"));
        Assert.Equal(
            [
                "/etc/qubes/policy.d/10-a.policy:1: one + a b allow",
                "/etc/qubes/policy.d/include/x:2: middle + a b allow",
                "/etc/qubes/policy.d/include/y:1: inner + a b allow",
                "/etc/qubes/policy.d/10-a.policy:3: two + a b allow",
            ],
            Lines(policy));
        Assert.Equal(["/etc/qubes/policy.d/10-a.policy", "/etc/qubes/policy.d/include/x", "/etc/qubes/policy.d/include/y"], policy.Files);
    }

    [Fact]
    public void Relative_includes_start_at_the_directory_of_the_top_level_file() =>
        Assert.Equal(
            ["/run/qubes/policy.d/10-a.policy:1: not a file: /run/qubes/policy.d/include/x"],
            Errors(PolicyLoader.Load(new MemoryPolicySource()
                .With("/run/qubes/policy.d/10-a.policy", "!include include/x").With("include/x", "s + a b allow"))));

    [Fact]
    public void A_directory_is_included_in_order_with_the_rules_for_names()
    {
        MemoryPolicySource source = new MemoryPolicySource()
            .With("10-a.policy", "!include-dir include/d")
            .With("include/d/2.policy", "two + a b allow").With("include/d/1.policy", "one + a b allow").With("include/d/other", "nonsense");
        Assert.Equal(["one", "two"], PolicyLoader.Load(source).Rules.Rules.Select(r => r.Service));
        Assert.Equal(
            ["/etc/qubes/policy.d/include/d/Bad.policy: invalid filename: /etc/qubes/policy.d/include/d/Bad.policy"],
            Errors(PolicyLoader.Load(source.With("include/d/Bad.policy", ""))));
    }

    [Fact]
    public void A_one_service_file_gets_its_service_and_argument_from_the_including_line()
    {
        LoadedPolicy policy = PolicyLoader.Load(new MemoryPolicySource()
            .With("10-a.policy", "!include-service one * include/x\n!include-service two +arg include/x\n!include-service * * include/x")
            .With("include/x", "# old and new\n$anyvm $dispvm:a allow,target=dom0,user=root\n@tag:t b ask default_target=c\n$include:include/y")
            .With("include/y", "a $adminvm deny , notify=no"));
        Assert.Equal(
            [
                "/etc/qubes/policy.d/include/x:2: one * @anyvm @dispvm:a allow target=dom0 user=root",
                "/etc/qubes/policy.d/include/x:3: one * @tag:t b ask default_target=c",
                "/etc/qubes/policy.d/include/y:1: one * a @adminvm deny notify=no",
                "/etc/qubes/policy.d/include/x:2: two +arg @anyvm @dispvm:a allow target=dom0 user=root",
                "/etc/qubes/policy.d/include/x:3: two +arg @tag:t b ask default_target=c",
                "/etc/qubes/policy.d/include/y:1: two +arg a @adminvm deny notify=no",
                "/etc/qubes/policy.d/include/x:2: * * @anyvm @dispvm:a allow target=dom0 user=root",
                "/etc/qubes/policy.d/include/x:3: * * @tag:t b ask default_target=c",
                "/etc/qubes/policy.d/include/y:1: * * a @adminvm deny notify=no",
            ],
            Lines(policy));
    }

    [Theory]
    [InlineData("a b", "wrong number of fields")]
    [InlineData("a,b", "wrong number of fields")]
    [InlineData("a", "wrong number of fields")]
    [InlineData("a b reject", "invalid action: reject")]
    [InlineData("a b deny,target=x", "invalid parameters for action Deny: ['target=x']")]
    [InlineData("a b allow extra", "invalid action parameter syntax: 'extra'")]
    [InlineData("$default b allow", "invalid source token: '@default'")]
    [InlineData("a $default allow", "allow action for @default rule must specify target= option")]
    [InlineData("a $tag: allow", "invalid empty @tag: token: '@tag:'")]
    [InlineData("a b allow,notify=what", "'notify' is 'what', but can be only 'yes' or 'no'")]
    [InlineData("!include a b", "invalid number of params")]
    [InlineData("!include-dir a", "invalid directive")]
    [InlineData("!include-service a + b", "invalid directive")]
    [InlineData("!compat-4.0", "invalid directive")]
    [InlineData("$include:nothere", "not a file: /etc/qubes/policy.d/nothere")]
    public void A_bad_line_of_a_one_service_file_is_an_error(string line, string expected) =>
        Assert.Equal(
            ["/etc/qubes/policy.d/x:2: " + expected],
            Errors(PolicyLoader.Load(new MemoryPolicySource().With("10-a.policy", "!include-service s * x").With("x", "#\n" + line))));

    [Theory]
    [InlineData("!include", "invalid number of params")]
    [InlineData("!include a b", "invalid number of params")]
    [InlineData("!include-dir", "invalid number of params")]
    [InlineData("!include-service s +", "invalid number of params")]
    [InlineData("!include-service s + x y", "invalid number of params")]
    [InlineData("!compat-4.0 x", "invalid number of params")]
    [InlineData("! include x", "invalid directive")]
    [InlineData("!Include x", "invalid directive")]
    [InlineData("!", "invalid directive")]
    [InlineData("!include nothere", "not a file: /etc/qubes/policy.d/nothere")]
    [InlineData("!include ../../x", "not a file: /etc/x")]
    [InlineData("!include /nothere", "not a file: /nothere")]
    [InlineData("!include-dir nothere", "not a directory: /etc/qubes/policy.d/nothere")]
    [InlineData("!include-service s + nothere", "not a file: /etc/qubes/policy.d/nothere")]
    [InlineData("!include-service s/ + nothere", "service 's/' contains invalid characters: ('/',)")]
    [InlineData("!include-service s x nothere", "argument 'x' does not start with +")]
    [InlineData("!include-service * + nothere", "only * argument allowed for * service")]
    public void A_bad_directive_is_an_error(string line, string expected) => Assert.Equal(expected, Policies.ErrorOf(line));

    [Fact]
    public void A_bad_line_in_a_file_included_often_is_one_error() =>
        Assert.Equal(
            ["/etc/qubes/policy.d/x:1: wrong number of fields"],
            Errors(PolicyLoader.Load(new MemoryPolicySource()
                .With("10-a.policy", "!include-service a * x\n!include-service b * x\n!include-service c * x").With("x", "bad"))));

    [Fact]
    public void A_file_that_includes_itself_is_an_error_at_the_line_that_closes_the_circle() =>
        Assert.Equal(
            ["/etc/qubes/policy.d/y:2: file includes itself: /etc/qubes/policy.d/x"],
            Errors(PolicyLoader.Load(new MemoryPolicySource()
                .With("10-a.policy", "!include x").With("x", "!include y").With("y", "#\n!include x"))));

    [Fact]
    public void A_file_may_be_included_twice_side_by_side() =>
        Assert.Equal(
            2, Lines(PolicyLoader.Load(new MemoryPolicySource().With("10-a.policy", "!include x\n!include x").With("x", "s + a b allow"))).Length);

    [Fact]
    public void Text_that_is_not_utf8_is_an_error_with_its_line() =>
        Assert.Equal(
            ["/etc/qubes/policy.d/10-a.policy:2: not UTF-8 text: byte FF"],
            Errors(PolicyLoader.Load(new MemoryPolicySource().With("10-a.policy", [(byte)'#', (byte)'\n', (byte)'#', 0xff]))));

    [Fact]
    public void The_4_0_directory_comes_in_with_its_order_and_implicit_denials()
    {
        LoadedPolicy policy = PolicyLoader.Load(new MemoryPolicySource()
            .With("35-compat.policy", "!compat-4.0\nlast + a b deny")
            .With("/etc/qubes-rpc/policy/b.Svc", "x y allow")
            .With("/etc/qubes-rpc/policy/a.Svc", "x $anyvm ask\n$include:sub/z")
            .With("/etc/qubes-rpc/policy/a.Svc+y", "x y deny")
            .With("/etc/qubes-rpc/policy/a.Svc+x", "")
            .With("/etc/qubes-rpc/policy/sub/z", "z z allow")
            .With("/etc/qubes-rpc/policy/a.Svc.rpmsave", "nonsense")
            .With("/etc/qubes-rpc/policy/.hidden", "nonsense")
            .With("/etc/qubes-rpc/policy/with space", "nonsense"));
        const string Dir = "/etc/qubes-rpc/policy/";
        Assert.Equal(
            [
                Dir + "a.Svc+x: a.Svc +x @anyvm @anyvm deny",
                Dir + "a.Svc+x: a.Svc +x @anyvm @adminvm deny",
                Dir + "a.Svc+y:1: a.Svc +y x y deny",
                Dir + "a.Svc+y: a.Svc +y @anyvm @anyvm deny",
                Dir + "a.Svc+y: a.Svc +y @anyvm @adminvm deny",
                Dir + "a.Svc:1: a.Svc * x @anyvm ask",
                Dir + "sub/z:1: a.Svc * z z allow",
                Dir + "b.Svc:1: b.Svc * x y allow",
                "/etc/qubes/policy.d/35-compat.policy:2: last + a b deny",
            ],
            Lines(policy));
        Assert.Equal(
            [
                "/etc/qubes/policy.d/35-compat.policy:1: the !compat-4.0 directive is transitional and will go away",
                $"ignoring {Dir}.hidden (dotfile)",
                $"ignoring {Dir}a.Svc.rpmsave (ignored suffix)",
                $"ignoring {Dir}sub (not a file)",
                $"ignoring {Dir}with space (invalid characters: (' ',))",
            ],
            policy.Warnings.Order());
    }

    [Fact]
    public void A_missing_4_0_directory_is_an_error() =>
        Assert.StartsWith(
            "/etc/qubes-rpc/policy: failed to load", Assert.Single(Errors(Policies.Load("!compat-4.0"))));

    [Fact]
    public void Limits_end_in_an_error_never_in_running_on()
    {
        MemoryPolicySource source = new MemoryPolicySource()
            .With("10-a.policy", "!include a\n!include a\n!include a").With("a", "!include b\n!include b\n!include b")
            .With("b", "!include c\n!include c\n!include c").With("c", "s + a b allow\ns + a b deny");
        Assert.Contains("more than 20 files are included", Errors(PolicyLoader.Load(source, new PolicyLimits { Includes = 20 }))[0]);
        Assert.Contains("more than 7 rules", Errors(PolicyLoader.Load(source, new PolicyLimits { Rules = 7 }))[0]);
        Assert.Contains("includes nested more than 2 deep", Errors(PolicyLoader.Load(source, new PolicyLimits { IncludeDepth = 2 }))[0]);
        Assert.Equal(
            "/etc/qubes/policy.d/c: file is longer than 20 bytes",
            Errors(PolicyLoader.Load(new MemoryPolicySource().With("1.policy", "!include c").With("c", new string('#', 21)), new PolicyLimits { FileBytes = 20 }))[0]);
        Assert.Contains("all files together are longer than 60 bytes", Errors(PolicyLoader.Load(source, new PolicyLimits { TotalBytes = 60 }))[0]);
        string[] many = Errors(PolicyLoader.Load(
            new MemoryPolicySource().With("1.policy", string.Join('\n', Enumerable.Repeat("x", 50))), new PolicyLimits { Diagnostics = 10 }));
        Assert.Equal(11, many.Length);
        Assert.Contains("more than 10 errors", many[10]);
    }
}
