using Qubes.Protocol.Errors;

namespace Qubes.Model;

/// <summary>
/// Gives disposables their numbers: random, so that a name tells nothing of how many there were, and not one that was in use a
/// short while ago, so that what still names the old disposable does not mean the new one.
/// </summary>
public sealed class DispIdAllocator
{
    /// <summary>Numbers are 0 to one below this.</summary>
    public const int Count = 10000;

    private const int Tries = 100;
    private static readonly TimeSpan Rest = TimeSpan.FromDays(7);

    private readonly QubeCollection _domains;
    private readonly TimeProvider _time;
    private readonly Dictionary<int, long> _freed = [];

    internal DispIdAllocator(QubeCollection domains, TimeProvider time)
    {
        _domains = domains;
        _time = time;
    }

    public static bool IsValid(int number) => number is >= 0 and < Count;

    /// <summary>The name of a disposable nobody named.</summary>
    public static string NameOf(int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"disp{number}");

    /// <summary>A number no disposable has, whose name is free too.</summary>
    /// <exception cref="QubesException">All are taken.</exception>
    public int Next()
    {
        HashSet<int> taken = [.. _domains.OfType<Classes.DispVM>().Select(qube => qube.DispId)];
        for (int i = 0; i < Tries; i++)
        {
            int candidate = Random();
            if (IsFree(candidate))
            {
                return candidate;
            }
        }

        // Nearly full: luck will not find the last free ones.
        int start = Random();
        for (int i = 0; i < Count; i++)
        {
            int candidate = (start + i) % Count;
            if (IsFree(candidate))
            {
                return candidate;
            }
        }

        throw QubesErrors.General("Cannot find unused dispid!");

        bool IsFree(int candidate) => !taken.Contains(candidate) && !IsResting(candidate) && !_domains.IsNameTaken(NameOf(candidate));
    }

    /// <summary>The disposable of this number is removed.</summary>
    internal void Free(int number) => _freed[number] = _time.GetTimestamp();

    /// <summary>The removal was taken back.</summary>
    internal void Unfree(int number) => _freed.Remove(number);

    private bool IsResting(int number) => _freed.TryGetValue(number, out long since) && _time.GetElapsedTime(since) < Rest;

    // The first four bytes of a new GUID are the kernel's random bytes, none of its fixed bits; 2^32 mod 10000 is too little to matter.
    private static int Random() => (int)(BitConverter.ToUInt32(Guid.NewGuid().ToByteArray()) % Count);
}
