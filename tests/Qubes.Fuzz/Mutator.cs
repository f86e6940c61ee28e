namespace Qubes.Fuzz;

/// <summary>Makes new inputs from seeds by small, reproducible damage: the seed number replays a finding.</summary>
internal sealed class Mutator(int seed)
{
    private const int MaxLength = 70_000;
    private readonly Random _random = new(seed);

    public byte[] Next(IReadOnlyList<byte[]> seeds)
    {
        // One input in eight is pure noise; the others start from something valid.
        if (seeds.Count == 0 || _random.Next(8) == 0)
        {
            byte[] noise = new byte[_random.Next(0, 300)];
            _random.NextBytes(noise);
            return noise;
        }

        List<byte> bytes = [.. seeds[_random.Next(seeds.Count)]];
        for (int i = _random.Next(1, 6); i > 0; i--)
        {
            Damage(bytes, seeds);
        }

        return bytes.Count > MaxLength ? [.. bytes.Take(MaxLength)] : [.. bytes];
    }

    private void Damage(List<byte> bytes, IReadOnlyList<byte[]> seeds)
    {
        int at = _random.Next(bytes.Count + 1);
        switch (_random.Next(7))
        {
            case 0 when at < bytes.Count:
                bytes[at] = (byte)_random.Next(256);
                break;
            case 1 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 2:
                bytes.Insert(at, Interesting());
                break;
            case 3 when at < bytes.Count:
                bytes.RemoveRange(at, _random.Next(1, Math.Min(16, bytes.Count - at) + 1));
                break;
            case 4 when at < bytes.Count:
                bytes.InsertRange(at, bytes.GetRange(at, _random.Next(1, Math.Min(64, bytes.Count - at) + 1)));
                break;
            case 5:
                byte[] other = seeds[_random.Next(seeds.Count)];
                bytes.InsertRange(at, other.AsSpan(_random.Next(other.Length + 1)).ToArray());
                break;
            case 6:
                bytes.InsertRange(at, Enumerable.Repeat(Interesting(), _random.Next(1, 1000)));
                break;
            default:
                bytes.Add(Interesting());
                break;
        }
    }

    private byte Interesting()
    {
        ReadOnlySpan<byte> bytes = [0, 1, 9, 10, 13, 31, 32, (byte)'+', (byte)'@', (byte)':', (byte)'=', (byte)'/', (byte)'.', 127, 128, 255];
        return bytes[_random.Next(bytes.Length)];
    }
}
