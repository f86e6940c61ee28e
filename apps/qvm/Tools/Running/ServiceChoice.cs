namespace Qvm.Tools.Running;

/// <summary>Which service of a qube carries out a request, by what its features say it has.</summary>
internal static class ServiceChoice
{
    /// <param name="request">What to run.</param>
    /// <param name="feature">A feature of the qube or its templates; null if it is not set.</param>
    /// <param name="waitForSession">The service itself is to wait for the GUI session: a new disposable cannot be asked before.</param>
    public static async Task<ServiceCall> ForAsync(RunRequest request, Func<string, ValueTask<string?>> feature, bool waitForSession = false)
    {
        if (request.IsService)
        {
            return new ServiceCall(request.Command, "", request.User);
        }

        string[] words = [request.Command, .. request.Words];
        if (!request.UseShell && await HasAsync("vmexec"))
        {
            string encoded = VmExecEncoding.Encode(words);
            return request.User == "root" && await HasAsync("supported-rpc.qubes.VMRootExec")
                ? new ServiceCall("qubes.VMRootExec+" + encoded, "", null)
                : new ServiceCall((waitForSession ? "qubes.VMExecGUI+" : "qubes.VMExec+") + encoded, "", request.User);
        }

        string line = request.UseShell ? request.Command : ShellQuoting.Join(words);
        bool asRoot = request.UseShell && request.User == "root" && await HasAsync("supported-rpc.qubes.VMRootExec");
        bool isWindows = await feature("os") == "Windows";
        string service = asRoot ? "qubes.VMRootShell" : "qubes.VMShell";
        return new ServiceCall(
            waitForSession ? service + "+WaitForSession" : service, line + (isWindows ? "& exit\n" : "; exit\n"), asRoot ? null : request.User);

        async Task<bool> HasAsync(string name) => !string.IsNullOrEmpty(await feature(name));
    }
}
