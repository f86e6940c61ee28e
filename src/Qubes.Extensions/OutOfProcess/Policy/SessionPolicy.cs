using System.Text;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Linux;

namespace Qubes.Extensions.OutOfProcess.Policy;

/// <summary>
/// The rules that hold as long as one run of an extension: a file in <c>run/qubes/policy.d</c>. Changes come one after the other and off the
/// model loop; after <see cref="EndAsync"/> there is no file, and none comes any more.
/// </summary>
internal sealed class SessionPolicy(string extension, ExtensionEnvironment environment)
{
    public const int MaxLength = 64 * 1024;

    // Before people's own files, which by custom begin with 30, and behind the daemon's for the moment of one call.
    private const string Prefix = "15-extension-";

    private readonly RuntimePolicy _files = new(environment.Paths.RuntimePolicyDirectory);
    private readonly string _file = $"{Prefix}{extension}.policy";
    private readonly Lock _writing = new();
    private bool _exists;
    private bool _hasEnded;

    /// <summary>Removes what runs that were killed have left. Blocks on the file system.</summary>
    public static void Clear(QubesPaths paths) => new RuntimePolicy(paths.RuntimePolicyDirectory).Clear(Prefix);

    /// <summary>Replaces the rules; empty: there are none.</summary>
    /// <exception cref="RpcException">They are no rules; the former ones hold.</exception>
    public async Task SetAsync(string untrustedRules)
    {
        if (!Ascii.IsValid(untrustedRules))
        {
            throw RpcException.InvalidParams("'rules' must be ASCII");
        }

        IPolicyAdviser policy = environment.Policy ?? throw new RpcException(RpcErrorCode.InternalError, "there is no policy here");
        if (policy.FindError(_file, untrustedRules) is { } error)
        {
            throw RpcException.InvalidParams(error);
        }

        await Task.Run(() =>
        {
            lock (_writing)
            {
                if (_hasEnded)
                {
                    throw new OperationCanceledException();
                }

                Replace(untrustedRules);
            }
        });
    }

    /// <summary>The run is over.</summary>
    public Task EndAsync() => Task.Run(() =>
    {
        lock (_writing)
        {
            _hasEnded = true;
            Replace("");
        }
    });

    private void Replace(string rules)
    {
        if (rules.Length > 0)
        {
            _exists = true;
            _files.Write(_file, rules.EndsWith('\n') ? rules : rules + "\n");
        }
        else if (_exists)
        {
            _files.Remove(_file);
            _exists = false;
        }
    }
}
