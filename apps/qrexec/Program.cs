using Qrexec;
using Qubes.Qrexec.Agent;
using Qubes.Qrexec.Client;
using Qubes.Qrexec.ClientVm;
using Qubes.Qrexec.Daemon;
using Qubes.Qrexec.QubesDb;
using Qubes.Qrexec.QubesDb.Tools;

// One binary, many programs: which one is said by the name it is called under (a symbolic link), or by the first argument.
Dictionary<string, Func<string[], Task<int>>> programs = new(StringComparer.Ordinal)
{
    [AgentProgram.Name] = AgentProgram.RunAsync,
    [AgentCallProgram.Name] = _ => AgentCallProgram.RunAsync(),
    [DaemonProgram.Name] = DaemonProgram.RunAsync,
    [QubesDbDaemonProgram.Name] = QubesDbDaemonProgram.RunAsync,
    [QrexecClientProgram.Name] = QrexecClientProgram.RunAsync,
    [ClientVmProgram.Name] = ClientVmProgram.RunAsync,
    [ConsoleProgram.Name] = ConsoleProgram.RunAsync,
    [VolumeImportProgram.Name] = arguments => VolumeImportProgram.RunAsync(arguments, withSize: false),
    [VolumeImportProgram.WithSizeName] = arguments => VolumeImportProgram.RunAsync(arguments, withSize: true),
    [MiscServiceProgram.FeaturesRequest] = _ => MiscServiceProgram.RunAsync(MiscServiceProgram.FeaturesRequest, withInput: false),
    [MiscServiceProgram.NotifyTools] = _ => MiscServiceProgram.RunAsync(MiscServiceProgram.NotifyTools, withInput: false),
    [MiscServiceProgram.NotifyUpdates] = _ => MiscServiceProgram.RunAsync(MiscServiceProgram.NotifyUpdates, withInput: true),
    [QubesdQueryProgram.Name] = arguments => QubesdQueryProgram.RunAsync(
        arguments, Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error),
};

foreach (string name in QubesDbTool.Names)
{
    programs.Add(name, async arguments =>
    {
        await using Stream output = Console.OpenStandardOutput();
        return await QubesDbTool.RunAsync(name, arguments, output, Console.Error);
    });
}

// The kernel's record of how we were started: the runtime's is the path of the program's file in builds that are not native.
string calledAs = Path.GetFileName(File.ReadAllText("/proc/self/cmdline").Split('\0')[0]);
if (programs.TryGetValue(calledAs, out Func<string[], Task<int>>? program))
{
    return await program(args);
}

if (args.Length > 0 && programs.TryGetValue(Path.GetFileName(args[0]), out program))
{
    return await program(args[1..]);
}

await Console.Error.WriteLineAsync($"usage: qrexec PROGRAM [ARGUMENT...]\nprograms: {string.Join(' ', programs.Keys)}");
return 1;
