using CsCheck;

namespace Qubes.Storage.Tests;

public sealed class LayerTreeTests
{
    private static readonly Gen<LayerTree> Trees =
        from count in Gen.Int[1, 12]
        from head in Gen.Int[0, count - 1]
        from parents in Gen.Int[0, 11].Array[count]
        from sizes in Gen.Long[0, 1L << 46].Array[count]
        from flags in Gen.Bool.Array[count]
        select new LayerTree(
            head + 1,
            [.. Enumerable.Range(0, count).Select(i =>
            {
                int parent = parents[i] % (i + 1);
                return new Layer(i + 1, i + 100, parent == 0 ? DiskFormat.Raw : DiskFormat.Qcow2, parent, sizes[i], i, flags[i]);
            })]);

    [Fact]
    public void What_is_written_is_read_back() => Trees.Sample(tree =>
    {
        LayerTree again = LayerTree.Parse(tree.Write());
        Assert.Equal(tree.HeadId, again.HeadId);
        Assert.Equal(tree.Layers, again.Layers);
    });

    [Fact]
    public void A_list_cut_short_anywhere_is_refused() => Gen.Select(Trees, Gen.Double[0, 1]).Sample((tree, where) =>
    {
        byte[] content = tree.Write();
        Assert.Throws<FormatException>(() => LayerTree.Parse(content.AsSpan(0, (int)(where * (content.Length - 1)))));
    });

    [Fact]
    public void A_list_that_lost_its_last_layers_is_refused_though_its_lines_are_whole()
    {
        byte[] content = new LayerTree(1, [new(1, 1, DiskFormat.Raw, 0, 0, 0, false), new(2, 2, DiskFormat.Qcow2, 1, 0, 0, false)]).Write();
        int second = content.AsSpan().IndexOf("layer 2"u8);
        Assert.Throws<FormatException>(() => LayerTree.Parse(content.AsSpan(0, second)));
    }

    [Theory]
    [InlineData("qubes-layers 1\nhead 1\nlayer 1 1 raw 1 0 0 hidden\nend\n", "its own parent")]
    [InlineData("qubes-layers 1\nhead 1\nlayer 1 1 qcow2 2 0 0 hidden\nlayer 2 2 qcow2 1 0 0 hidden\nend\n", "a circle")]
    [InlineData("qubes-layers 1\nhead 3\nlayer 1 1 raw 0 0 0 hidden\nend\n", "a head that is no layer")]
    [InlineData("qubes-layers 1\nhead 1\nlayer 1 1 raw 0 0 0 hidden\nlayer 2 1 qcow2 1 0 0 hidden\nend\n", "two layers in one file")]
    [InlineData("qubes-layers 1\nhead 1\nlayer 1 -1 raw 0 0 0 hidden\nend\n", "a negative number")]
    [InlineData("qubes-layers 1\nhead 1\nlayer 1 1 vmdk 0 0 0 hidden\nend\n", "another format")]
    [InlineData("qubes-layers 2\nhead 1\nlayer 1 1 raw 0 0 0 hidden\nend\n", "another version")]
    public void Lists_that_contradict_themselves_are_refused(string content, string why) =>
        Assert.False(TryParse(System.Text.Encoding.ASCII.GetBytes(content)), why);

    private static bool TryParse(byte[] content)
    {
        try
        {
            LayerTree.Parse(content);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
