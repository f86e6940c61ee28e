using System.Reflection;
using Qubes.Admin.Documents;
using Qubes.Admin.Methods;
using Qubes.Policy.Evaluation;
using Qubes.Policy.Loading;
using Qubes.Policy.SystemState;

using Qubes.Testing;

namespace Qubes.Admin.Tests;

public sealed class MethodTableTests
{
    [Fact]
    public void Each_row_has_a_handler_and_a_help_line()
    {
        foreach (AdminMethod method in AdminMethods.Table.All)
        {
            Assert.True(method.Answer is null != method.Handler is null, method.Name);
            Assert.NotEmpty(method.Help);
            Assert.DoesNotContain('\n', method.Help);
        }
    }

    [Theory]
    [InlineData("admin.")]
    [InlineData("internal.")]
    [InlineData("qubes.")]
    public void Every_call_that_clients_know_is_there(string socket)
    {
        string[] here = [.. AdminMethods.Table.All.Select(m => m.Name), .. AdminMethods.ProgramServices];
        string[] known = [.. UpstreamCalls.Names.Where(name => name.StartsWith(socket, StringComparison.Ordinal))];
        Assert.NotEmpty(known);
        Assert.Empty(known.Except(here, StringComparer.Ordinal));
    }

    /// <summary>A test is a call's own if it is named after it, or if the call is among the data of the test.</summary>
    [Fact]
    public void Each_row_has_a_test_of_its_own()
    {
        HashSet<string> tested = new(StringComparer.Ordinal);
        foreach (MethodInfo test in typeof(MethodTableTests).Assembly.GetTypes().SelectMany(t => t.GetMethods()))
        {
            if (test.GetCustomAttribute<FactAttribute>() is not null)
            {
                tested.Add(test.Name.Replace('_', '.').ToUpperInvariant());
            }

            foreach (InlineDataAttribute data in test.GetCustomAttributes<InlineDataAttribute>())
            {
                tested.UnionWith(data.Data.OfType<string>().Select(d => d.ToUpperInvariant()));
            }
        }

        string[] untested = [.. AdminMethods.Table.All.Select(m => m.Name).Where(name => !tested.Contains(name.ToUpperInvariant()) && !tested.Contains(name.Replace('_', '.').ToUpperInvariant()))];
        Assert.Empty(untested);
    }

    /// <summary>Calls every method of the main socket in the name of a caller to whom the event refuses everything.</summary>
    [Fact]
    public async Task No_call_gets_past_a_refused_permission()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string token = (await fixture.CallAsync("admin.vm.volume.CloneFrom", "private", "work"))[2..];
        await fixture.OnLoopAsync(app => app.Events.On(Model.Events.EmitterClass.AdminVM, "admin-permission:*",
            _ => throw Protocol.Errors.QubesErrors.PermissionDenied("no")));
        string before = await RawClient.CallAsync(fixture.InternalSocket, "internal.GetSystemInfo+ dom0 name dom0\0");
        foreach (AdminMethod method in AdminMethods.Table.All.Where(m => m.NeedsPermission))
        {
            (string argument, string payload) = method.Name == "admin.vm.volume.CloneTo" ? ("private", token) : ValidInput(method.Name);
            string destination = method.Destination == AdminDestination.AdminVM ? "dom0" : "work";
            Assert.Equal((method.Name, "2\0PermissionDenied\0\0no\0"),
                (method.Name, await fixture.CallAsync(method.Name, argument, destination, payload)));
        }

        Assert.Empty(fixture.Lifecycle.Asked);
        Assert.Equal(0, fixture.Commits);
        Assert.Equal(before, await RawClient.CallAsync(fixture.InternalSocket, "internal.GetSystemInfo+ dom0 name dom0\0"));
    }

    [Fact]
    public void The_reference_in_docs_is_current() =>
        Assert.Equal(ApiDocument.Write(AdminMethods.Table), File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "admin-api.md")));

    [Fact]
    public void The_generated_policy_denies_everything_by_default_and_reading_comes_with_writing()
    {
        MemoryPolicySource source = new();
        source.With(PolicyDocuments.DefaultFile, PolicyDocuments.WriteDefault(AdminMethods.Table));
        string shipped = Path.Combine(RepositoryRoot(), "etc", "qubes", "policy.d", "include");
        foreach (string file in Directory.GetFiles(shipped, "admin-*"))
        {
            source.With("include/" + Path.GetFileName(file), File.ReadAllText(file));
        }

        string generated = PolicyDocuments.WriteDefault(AdminMethods.Table);
        Assert.All(AdminMethods.ProgramServices,
            service => Assert.Contains($"!include-service {service} * include/admin-local-rwx\n", generated, StringComparison.Ordinal));

        SystemInfo system = new([Info("dom0", "AdminVM"), Info("mgmt", "AppVM"), Info("work", "AppVM")]);
        LoadedPolicy strict = PolicyLoader.Load(source);
        Assert.True(strict.IsValid, strict.ErrorSummary);
        source.With("include/admin-local-rwx", "mgmt work allow target=dom0\n");
        LoadedPolicy open = PolicyLoader.Load(source);
        Assert.True(open.IsValid, open.ErrorSummary);
        foreach (AdminMethod method in AdminMethods.Table.All)
        {
            PolicyCall call = new("mgmt", "work", method.Name + "+x");
            Assert.False(PolicyEvaluator.IsAllowed(strict, call, system), method.Name);
            Assert.Equal((method.Name, method.Scope == AdminScope.Local),
                (method.Name, PolicyEvaluator.IsAllowed(open, call, system)));
        }
    }

    [Theory]
    [InlineData("admin.vm.List", "include/admin-global-ro")]
    [InlineData("admin.Events", "include/admin-global-ro")]
    [InlineData("admin.vm.Create.AppVM", "include/admin-global-rwx")]
    [InlineData("admin.vm.Remove", "include/admin-global-rwx")]
    [InlineData("admin.property.Set", "include/admin-global-rwx")]
    [InlineData("admin.label.Get", "include/admin-global-ro")]
    [InlineData("admin.vm.property.Get", "include/admin-local-ro")]
    [InlineData("admin.vm.property.Set", "include/admin-local-rwx")]
    [InlineData("admin.vm.Start", "include/admin-local-rwx")]
    [InlineData("admin.vm.CurrentState", "include/admin-local-ro")]
    [InlineData("admin.vm.device.pci.Assigned", "include/admin-local-ro")]
    public void A_call_is_decided_by_the_include_file_administrators_know(string method, string include) =>
        Assert.Contains($"!include-service {method} * {include}\n", PolicyDocuments.WriteDefault(AdminMethods.Table), StringComparison.Ordinal);

    [Fact]
    public void A_method_that_is_not_for_qubes_has_no_line() =>
        Assert.DoesNotContain("AdminVM *", PolicyDocuments.WriteDefault(AdminMethods.Table).Replace("WithAdminVM *", "", StringComparison.Ordinal)
            .Replace("AndAdminVM *", "", StringComparison.Ordinal), StringComparison.Ordinal);

    private static QubeInfo Info(string name, string type) => new() { Name = name, Type = type, PowerState = "Running" };

    private static (string Argument, string Payload) ValidInput(string method) => method switch
    {
        "admin.label.Create" => ("teal", "0x008080"),
        "admin.vm.firewall.Set" => ("", "action=drop"),
        _ when method.StartsWith("admin.label.", StringComparison.Ordinal) && method != "admin.label.List" => ("red", ""),
        "admin.property.Set" => ("check_updates_vm", "no"),
        "admin.vm.property.Set" => ("debug", "True"),
        _ when method.StartsWith("admin.property.", StringComparison.Ordinal) && AdminTakesArgument(method) => ("check_updates_vm", ""),
        _ when method.StartsWith("admin.vm.property.", StringComparison.Ordinal) && AdminTakesArgument(method) => ("debug", ""),
        "admin.vm.CreateDisposable" => ("", ""),
        _ when method.StartsWith("admin.vm.Create", StringComparison.Ordinal) => ("", "name=new label=red"),
        "admin.pool.Add" => ("file-qcow2", "name=new\ndir_path=/nowhere"),
        _ when method.StartsWith("admin.pool.", StringComparison.Ordinal) && AdminTakesArgument(method) => ("varlibqubes", ValueFor(method)),
        _ when method.StartsWith("admin.vm.volume.", StringComparison.Ordinal) && AdminTakesArgument(method) => ("private", ValueFor(method)),
        "admin.change.Plan" or "admin.change.Apply" => ("", "{}"),
        _ when method.StartsWith("admin.vm.device.", StringComparison.Ordinal) && AdminTakesArgument(method) => ("dom0+port", DevicePayload(method)),
        _ when AdminTakesArgument(method) => ("x", ""),
        _ => ("", ""),
    };

    private static string DevicePayload(string method) =>
        method.EndsWith(".Assign", StringComparison.Ordinal) ? "mode='required'" : method.EndsWith(".assignment", StringComparison.Ordinal) ? "required" : "";

    private static string ValueFor(string method) =>
        AdminMethods.Table.All.Single(m => m.Name == method).Payload == AdminPart.Required ? "0" : "";

    private static bool AdminTakesArgument(string method) =>
        AdminMethods.Table.All.Single(m => m.Name == method).Argument == AdminPart.Required;

    private static string RepositoryRoot()
    {
        string at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Qubes.slnx")))
        {
            at = Path.GetDirectoryName(at) ?? throw new DirectoryNotFoundException("The repository's root was not found");
        }

        return at;
    }
}
