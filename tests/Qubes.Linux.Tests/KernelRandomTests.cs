namespace Qubes.Linux.Tests;

public sealed class KernelRandomTests
{
    [Fact]
    public void Names_have_the_length_asked_for_and_do_not_repeat()
    {
        string[] names = [.. Enumerable.Range(0, 1000).Select(_ => KernelRandom.HexString(12))];
        Assert.All(names, name => Assert.Matches("^[0-9a-f]{12}$", name));
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void Every_byte_is_filled()
    {
        byte[] seen = new byte[100_000];
        KernelRandom.Fill(seen);
        Assert.Equal(256, seen.Distinct().Count());
    }
}
