using System.Collections;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary><c>posix_spawn</c> with the descriptors put in place and everything else closed.</summary>
internal static unsafe class ProcessSpawner
{
    private static readonly IReadOnlyDictionary<string, string?> NoChanges = new Dictionary<string, string?>();

    /// <returns>The process id.</returns>
    internal static int Spawn(ChildProcessOptions options)
    {
        var argv = AccountSwitch.CommandLineOf(options);
        var program = options.Account is null ? options.FileName : AccountSwitch.Program;

        var duplicates = new List<SafeFileHandle>();
        SafeFileHandle? devNull = null;
        byte** argvBlock = null;
        byte** environmentBlock = null;
        var workingDirectory = nint.Zero;
        var fileName = nint.Zero;
        void* actions = NativeMemory.AllocZeroed(ProcessCalls.FileActionsSize);
        void* attributes = NativeMemory.AllocZeroed(ProcessCalls.AttributesSize);
        Check(ProcessCalls.FileActionsInit(actions), "posix_spawn_file_actions_init");
        Check(ProcessCalls.AttributesInit(attributes), "posix_spawnattr_init");
        try
        {
            devNull = FileCalls.Open("/dev/null", FileCalls.O_RDWR | FileCalls.O_CLOEXEC, 0);
            if (devNull.IsInvalid)
                throw LinuxException.FromLastError("open", "/dev/null");

            AddDescriptors(options, devNull, actions, duplicates);
            if (options.WorkingDirectory is { } directory)
            {
                workingDirectory = AllocateString(directory);
                Check(ProcessCalls.FileActionsAddChdir(actions, (byte*)workingDirectory), "posix_spawn_file_actions_addchdir_np");
            }

            SetAttributes(options, attributes);
            argvBlock = AllocateStrings(argv);
            environmentBlock = AllocateStrings(EnvironmentOf(options));
            fileName = AllocateString(program);
            int pid;
            var error = ProcessCalls.Spawn(&pid, (byte*)fileName, actions, attributes, argvBlock, environmentBlock);
            return error == 0 ? pid : throw new LinuxException("posix_spawn", error, program);
        }
        finally
        {
            _ = ProcessCalls.FileActionsDestroy(actions);
            _ = ProcessCalls.AttributesDestroy(attributes);
            NativeMemory.Free(actions);
            NativeMemory.Free(attributes);
            FreeStrings(argvBlock);
            FreeStrings(environmentBlock);
            Marshal.FreeCoTaskMem(workingDirectory);
            Marshal.FreeCoTaskMem(fileName);
            devNull?.Dispose();
            foreach (var duplicate in duplicates)
                duplicate.Dispose();
        }
    }

    private static void AddDescriptors(ChildProcessOptions options, SafeFileHandle devNull, void* actions, List<SafeFileHandle> duplicates)
    {
        List<SafeHandle> sources =
        [
            options.StandardInput ?? devNull, options.StandardOutput ?? devNull, options.StandardError ?? devNull,
            .. options.ExtraHandles,
        ];
        // Copies above all target numbers, so that putting one in place never overwrites one still to be placed.
        foreach (var source in sources)
            duplicates.Add(Duplicate(source, sources.Count));
        for (var target = 0; target < sources.Count; target++)
        {
            Check(ProcessCalls.FileActionsAddDup2(actions, (int)duplicates[target].DangerousGetHandle(), target),
                "posix_spawn_file_actions_adddup2");
        }

        // All our descriptors are close-on-exec, but libraries in this process (libvirt, its event loop) need not be as careful.
        Check(ProcessCalls.FileActionsAddCloseFrom(actions, sources.Count), "posix_spawn_file_actions_addclosefrom_np");
    }

    private static SafeFileHandle Duplicate(SafeHandle source, int lowest)
    {
        var duplicate = FileCalls.Fcntl(source, FileCalls.F_DUPFD_CLOEXEC, lowest);
        return duplicate >= 0 ? new SafeFileHandle(duplicate, ownsHandle: true) : throw LinuxException.FromLastError("fcntl");
    }

    private static void SetAttributes(ChildProcessOptions options, void* attributes)
    {
        // The runtime ignores SIGPIPE and blocks signals in some threads; a child must start with neither.
        void* signals = stackalloc byte[ProcessCalls.SignalSetSize];
        Check(ProcessCalls.SignalSetFill(signals), "sigfillset");
        Check(ProcessCalls.AttributesSetSignalDefaults(attributes, signals), "posix_spawnattr_setsigdefault");
        Check(ProcessCalls.SignalSetEmpty(signals), "sigemptyset");
        Check(ProcessCalls.AttributesSetSignalMask(attributes, signals), "posix_spawnattr_setsigmask");
        var flags = ProcessCalls.POSIX_SPAWN_SETSIGDEF | ProcessCalls.POSIX_SPAWN_SETSIGMASK;
        if (options.NewSession)
            flags |= ProcessCalls.POSIX_SPAWN_SETSID;
        Check(ProcessCalls.AttributesSetFlags(attributes, (short)flags), "posix_spawnattr_setflags");
    }

    private static List<string> EnvironmentOf(ChildProcessOptions options)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        if (options.Environment is { } whole)
        {
            foreach (var (name, value) in whole)
                variables[name] = value;
        }
        else
        {
            foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
                variables[(string)entry.Key] = (string?)entry.Value ?? "";
        }

        IEnumerable<KeyValuePair<string, string?>> changes = [.. options.Account?.Variables ?? NoChanges, .. options.EnvironmentChanges ?? NoChanges];
        foreach (var (name, value) in changes)
        {
            if (value is null)
                variables.Remove(name);
            else
                variables[name] = value;
        }

        return variables.Select(variable => $"{variable.Key}={variable.Value}").ToList();
    }

    /// <summary>A NULL-terminated block of C strings, freed by <see cref="FreeStrings"/>.</summary>
    private static byte** AllocateStrings(List<string> strings)
    {
        var block = (byte**)NativeMemory.AllocZeroed((nuint)strings.Count + 1, (nuint)sizeof(byte*));
        for (var i = 0; i < strings.Count; i++)
        {
            // A string with a NUL inside would reach the program cut short: not what the caller checked.
            if (strings[i].Contains('\0', StringComparison.Ordinal))
            {
                FreeStrings(block);
                throw new ArgumentException("A program's argument or environment cannot hold a NUL character.", nameof(strings));
            }

            block[i] = (byte*)AllocateString(strings[i]);
        }

        return block;
    }

    private static nint AllocateString(string text) => Marshal.StringToCoTaskMemUTF8(text);

    private static void FreeStrings(byte** block)
    {
        if (block == null)
            return;
        for (var i = 0; block[i] != null; i++)
            Marshal.FreeCoTaskMem((nint)block[i]);
        NativeMemory.Free(block);
    }

    private static void Check(int error, string call)
    {
        if (error != 0)
            throw new LinuxException(call, error);
    }
}
