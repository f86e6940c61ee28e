using Qubes.Admin.Calls;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Handlers;

/// <summary>Starting and stopping. What a class of qubes cannot do is refused by the lifecycle layer.</summary>
internal static class PowerHandlers
{
    public static async ValueTask StartAsync(AdminCall call)
    {
        call.Permit();
        await call.Services.Lifecycle.StartAsync(call.Destination);
    }

    public static async ValueTask ShutdownAsync(AdminCall call)
    {
        (bool force, bool wait) = ParseWords(call.UntrustedArgument);
        call.Permit(("force", force), ("wait", wait));
        await call.Services.Lifecycle.ShutdownAsync(call.Destination, force, wait);
    }

    public static async ValueTask KillAsync(AdminCall call)
    {
        call.Permit();
        await call.Services.Lifecycle.KillAsync(call.Destination);
    }

    public static async ValueTask PauseAsync(AdminCall call)
    {
        call.Permit();
        await call.Services.Lifecycle.PauseAsync(call.Destination);
    }

    public static async ValueTask UnpauseAsync(AdminCall call)
    {
        call.Permit();
        await call.Services.Lifecycle.UnpauseAsync(call.Destination);
    }

    public static async ValueTask SuspendAsync(AdminCall call)
    {
        call.Permit();
        await call.Services.Lifecycle.SuspendAsync(call.Destination);
    }

    public static async ValueTask ResumeAsync(AdminCall call)
    {
        call.Permit();
        await call.Services.Lifecycle.ResumeAsync(call.Destination);
    }

    public static async ValueTask ConsoleAsync(AdminCall call)
    {
        call.Permit();
        call.Write(await call.Services.Lifecycle.FindConsoleAsync(call.Destination));
    }

    // empty, or the words 'force' and 'wait' in any order, joined by '+'
    private static (bool Force, bool Wait) ParseWords(string untrustedArgument)
    {
        bool force = false;
        bool wait = false;
        if (untrustedArgument.Length == 0)
        {
            return (force, wait);
        }

        foreach (string word in untrustedArgument.Split('+'))
        {
            force |= word == "force";
            wait |= word == "wait";
            if (word is not ("force" or "wait"))
            {
                throw QubesErrors.Protocol("Argument must match: force, wait");
            }
        }

        return (force, wait);
    }
}
