using System.Text;
using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.OutOfProcess.Calls;

/// <summary>Runs a service in a qube.</summary>
internal static class ServiceCalls
{
    private const int MaxServiceLength = 128;
    private const int MaxOutput = 256 * 1024;
    private const int MaxInput = 256 * 1024;

    // {"qube": NAME, "service": NAME[+ARGUMENT], "user": NAME, "input": TEXT, "timeout": SECONDS, "autostart": BOOL, "stubdom": BOOL}
    //   → {"exit_code": NUMBER, "output": TEXT, "error": TEXT, "truncated": BOOL}
    // The qube must run, unless it is to be started. User: root by default; in dom0 the daemon's. Timeout: 60 by default, 600 at most.

    public static async Task<Action<Utf8JsonWriter>?> RunAsync(ExtensionSession session, ExtensionEnvironment environment, RpcParams parameters)
    {
        LocalQube qube = ModelCalls.LocalQubeOf(environment.App, parameters);
        string service = parameters.Text("service", MaxServiceLength);
        string user = parameters.OptionalText("user", maxLength: 32) ?? "root";
        if (service.Length == 0 || !service.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '+'))
        {
            throw RpcException.InvalidParams("a service's name is ASCII letters, digits and '._-+'");
        }

        if (user.Length == 0 || !user.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
        {
            throw RpcException.InvalidParams("a user's name is ASCII letters, digits, '_' and '-'");
        }

        bool isHost = qube is AdminVM;
        if (isHost && parameters.Has("user"))
        {
            throw RpcException.InvalidParams("services of dom0 run as the daemon's user");
        }

        if (parameters.Flag("stubdom"))
        {
            throw QubesErrors.VMNotFound($"{qube.Name}-dm");
        }

        string program = environment.QrexecClientProgram ?? throw QubesErrors.NotImplemented("Qubes run without qrexec here");
        if (!qube.IsRunning)
        {
            if (!parameters.Flag("autostart"))
            {
                throw QubesErrors.VMNotRunning(qube.Name);
            }

            await AdminCalls.CallAsync(session, environment, "admin.vm.Start", destination: qube.Name);
        }

        ChildProcessOptions options = new()
        {
            FileName = program,
            Arguments = ["-t", "-T", "-d", qube.Name, $"{(isHost ? "DEFAULT" : user)}:QUBESRPC {(service.Contains('+', StringComparison.Ordinal) ? service : service + "+")} dom0"],
            EnvironmentChanges = new Dictionary<string, string?> { [QubesPaths.RootVariable] = environment.Paths.Root },
            Account = environment.Account?.User,
            NoNewPrivileges = true,
        };
        byte[] input = Encoding.UTF8.GetBytes(parameters.OptionalText("input", MaxInput) ?? "");
        TimeSpan timeout = TimeSpan.FromSeconds(parameters.Number("timeout", fallback: 60, 1, 600));
        try
        {
            CapturedProcess result = await Task.Run(() => ProcessCapture.RunAsync(options, input, MaxOutput, timeout, session.Ended), session.Ended);
            return writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("exit_code", result.Exit.ShellStatus);
                writer.WriteString("output", result.OutputText);
                writer.WriteString("error", Encoding.UTF8.GetString(result.Error));
                writer.WriteBoolean("truncated", result.IsTruncated);
                writer.WriteEndObject();
            };
        }
        catch (Exception e) when (e is TimeoutException or LinuxException)
        {
            throw QubesErrors.General($"Service {service} in {qube.Name}: {e.Message}");
        }
    }
}
