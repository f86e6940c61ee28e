using System.Text;
using CsCheck;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Tests.Devices;

public sealed class DeviceRecordTests
{
    private const string KeyCharacters = "0123456789abcxyzABCXYZ!#$%&()*+,-./:;<>?@[\\]^{|}~";

    [Theory]
    [InlineData("", "")]
    [InlineData("   ", "")]
    [InlineData("a='x' b='y'", "a=x|b=y")]
    [InlineData("a='x'  b='y'", "a=x|b=y")]
    [InlineData(" a='x' ", "a=x")]
    [InlineData("a='x' y' b='z'", "a=x' y|b=z")]
    [InlineData(@"a='it\'s' b=''", "a=it's|b=")]
    [InlineData(@"a='x\' b='y'", @"a=x\|b=y")]
    [InlineData("a='x' a='y'", "a=y")]
    [InlineData("a='x=' b='y'", "a=x=|b=y")]
    [InlineData("a='x='", "a=x=")]
    [InlineData("a='\"`='", "a=\"`=")]
    public void A_record_is_read(string record, string expected) =>
        Assert.Equal(expected, string.Join('|', DeviceRecord.Parse(record).Properties.Select(p => $"{p.Key}={p.Value}")));

    [Theory]
    [InlineData("a")]
    [InlineData("a=b")]
    [InlineData("a='b")]
    [InlineData("a='x'b='y'")]
    [InlineData("='x'")]
    [InlineData("a='x\ty'")]
    [InlineData("a='x\ny'")]
    [InlineData("a='x' rest")]
    [InlineData("a b='x'")]
    [InlineData("a=\"x\"")]
    public void A_malformed_record_is_refused(string record) =>
        Assert.Throws<ProtocolErrorException>(() => DeviceRecord.Parse(record));

    [Fact]
    public void Bytes_outside_of_ASCII_are_refused() =>
        Assert.Throws<ProtocolErrorException>(() => DeviceRecord.Parse("a='\u00e4'"u8));

    [Fact]
    public void A_leading_underscore_makes_an_option()
    {
        DeviceRecord record = DeviceRecord.Parse("mode='manual' _read-only='yes' __x='1' _read-only='no'");
        Assert.Equal(["mode"], record.Properties.Keys);
        Assert.Equal([new("read-only", "no"), new("_x", "1")], record.Options);
    }

    [Fact]
    public void What_cannot_travel_is_not_written()
    {
        StringBuilder record = new();
        ProtocolErrorException failure = Assert.Throws<ProtocolErrorException>(() => DeviceRecord.Append(record, "a b", "x"));
        Assert.Equal("Invalid chars in property name: {' '}", failure.Message);
        failure = Assert.Throws<ProtocolErrorException>(() => DeviceRecord.Append(record, "a", "x\n\u00e4"));
        Assert.Equal("Invalid chars in property value: {'\\n', '\u00e4'}", failure.Message);
        DeviceRecord.AppendText(record, "a", "x\n\u00e4");
        Assert.Equal("a='x__'", record.ToString());
    }

    [Fact]
    public void Every_record_is_read_back()
    {
        Gen<string> value = Gen.String[Gen.Char[' ', '~'], 0, 20].Where(v => !(v.EndsWith('=') && v.Contains("' ", StringComparison.Ordinal)));
        Gen<string> key = Gen.String[Gen.Char[KeyCharacters], 1, 8];
        Gen.Dictionary(key, value)[0, 6].Sample(pairs =>
        {
            // A backslash before a quote is what the format cannot tell from a marked quote.
            pairs = pairs.ToDictionary(p => p.Key, p => p.Value.Replace("\\'", "'", StringComparison.Ordinal), StringComparer.Ordinal);
            StringBuilder record = new();
            foreach ((string k, string v) in pairs)
            {
                DeviceRecord.Append(record, k, v);
            }

            Assert.Equal(pairs.OrderBy(p => p.Key, StringComparer.Ordinal),
                DeviceRecord.Parse(record.ToString()).Properties.OrderBy(p => p.Key, StringComparer.Ordinal));
        });
    }
}
