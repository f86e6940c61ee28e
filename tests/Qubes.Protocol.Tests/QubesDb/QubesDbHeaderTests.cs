using CsCheck;
using Qubes.Protocol.QubesDb;

namespace Qubes.Protocol.Tests.QubesDb;

public sealed class QubesDbHeaderTests
{
    private static readonly Gen<string> Paths =
        Gen.Char["ABCxyz019-_/.:@"].Array[0, 62].Select(characters => "/" + new string(characters));

    [Fact]
    public void A_message_has_the_layout_of_upstreams()
    {
        byte[] message = QubesDbHeader.Message(QubesDbMessageType.Write, "/a/b", "value"u8);
        Assert.Equal(72 + 5, message.Length);
        Assert.Equal(1, message[0]);
        Assert.Equal("/a/b\0"u8, message.AsSpan(1, 5));
        Assert.Equal(-1, message.AsSpan(5, 63).IndexOfAnyExcept((byte)0));
        Assert.Equal([5, 0, 0, 0], message[68..72]);
        Assert.Equal("value"u8, message.AsSpan(72));
    }

    [Fact]
    public void What_is_written_is_read_back() => Gen.Select(Gen.Byte[0, 13], Paths, Gen.Byte.Array[0, 3071]).Sample((type, path, value) =>
    {
        byte[] message = QubesDbHeader.Message((QubesDbMessageType)type, path, value);
        QubesDbHeader header = QubesDbHeader.Read(message);
        Assert.Equal(new QubesDbHeader((QubesDbMessageType)type, path, (uint)value.Length), header);
        Assert.True(header.IsValid);
        Assert.Equal(value, message[QubesDbHeader.Size..]);
    });

    [Fact]
    public void Whatever_bytes_come_a_path_that_is_read_is_proper() => Gen.Byte.Array[QubesDbHeader.Size].Sample(bytes =>
    {
        QubesDbHeader header = QubesDbHeader.Read(bytes);
        Assert.True(header.Path is null || (header.Path.Length <= 63 && QubesDbPath.IsPrefix(header.Path)));
    });

    [Theory]
    [InlineData("/a b")]
    [InlineData("/a\n")]
    [InlineData("/ä")]
    [InlineData("-a")]
    public void A_path_with_other_characters_is_none(string path)
    {
        byte[] message = QubesDbHeader.Message(QubesDbMessageType.Read, "/");
        System.Text.Encoding.Latin1.GetBytes(path, message.AsSpan(1));
        Assert.Null(QubesDbHeader.Read(message).Path);
    }

    [Theory]
    [InlineData(3071, true)]
    [InlineData(3072, false)]
    [InlineData(uint.MaxValue, false)]
    public void The_longest_value_has_3071_bytes(uint length, bool isValid) =>
        Assert.Equal(isValid, new QubesDbHeader(QubesDbMessageType.Write, "/a", length).IsValid);

    [Fact]
    public void A_path_that_fills_its_field_is_cut_where_the_zero_belongs()
    {
        byte[] message = QubesDbHeader.Message(QubesDbMessageType.Read);
        message.AsSpan(1, 64).Fill((byte)'a');
        Assert.Equal(63, QubesDbHeader.Read(message).Path!.Length);
    }

    [Theory]
    [InlineData("/a", "/a", true)]
    [InlineData("/a", "/a/b", false)]
    [InlineData("/a", "/ab", false)]
    [InlineData("/a/", "/a/b", true)]
    [InlineData("/a/", "/a/", true)]
    [InlineData("/a/", "/a", false)]
    [InlineData("/", "/x", true)]
    public void A_watch_covers_its_path_or_what_is_below_it(string watched, string changed, bool covers) =>
        Assert.Equal(covers, QubesDbPath.Covers(watched, changed));
}
