using System.Diagnostics.CodeAnalysis;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Admin.Handlers;

/// <summary>
/// The one-time tokens by which the two halves of a clone find each other: made by <c>admin.vm.volume.CloneFrom</c>, used up by
/// <c>CloneTo</c>, by whoever has it. They do not expire, but of too many the oldest go. Belongs to the model loop.
/// </summary>
public sealed class CloneTokens
{
    /// <summary>More than clones anybody makes at once.</summary>
    public const int Most = 4096;

    private const int TokenLength = 32;
    private const string Characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    // In the order of making.
    private readonly OrderedDictionary<string, CloneSource> _sources = new(StringComparer.Ordinal);

    /// <summary>Makes a token for a volume.</summary>
    public string Issue(QubesVM qube, Volume volume)
    {
        ArgumentNullException.ThrowIfNull(qube);
        ArgumentNullException.ThrowIfNull(volume);
        if (_sources.Count >= Most)
        {
            _sources.RemoveAt(0);
        }

        string token = NewToken();
        return _sources.TryAdd(token, new CloneSource(qube, volume.Name, volume.ToString()))
            ? token
            : throw QubesErrors.VolumeCopyInUse(qube.Name, volume.Name);
    }

    /// <summary>Finds what a token stands for, and uses it up.</summary>
    public bool TryTake(string untrustedToken, [NotNullWhen(true)] out CloneSource? source) => _sources.Remove(untrustedToken, out source);

    // 62 characters: random bytes from 248 on are thrown away, so that all are equally likely.
    private static string NewToken()
    {
        Span<char> token = stackalloc char[TokenLength];
        Span<byte> random = stackalloc byte[TokenLength];
        int length = 0;
        while (length < TokenLength)
        {
            KernelRandom.Fill(random);
            foreach (byte value in random)
            {
                if (value < 4 * Characters.Length && length < TokenLength)
                {
                    token[length++] = Characters[value % Characters.Length];
                }
            }
        }

        return token.ToString();
    }
}
