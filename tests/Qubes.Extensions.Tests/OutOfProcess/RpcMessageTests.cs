using System.Text;
using System.Text.Json;
using CsCheck;
using Qubes.Extensions.OutOfProcess.Rpc;

namespace Qubes.Extensions.Tests.OutOfProcess;

public sealed class RpcMessageTests
{
    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":"y"}}""", RpcKind.Request, "1", "a")]
    [InlineData("""{"jsonrpc":"2.0","id":"q","method":"a"}""", RpcKind.Request, "\"q\"", "a")]
    [InlineData("""{"jsonrpc":"2.0","method":"a"}""", RpcKind.Notification, null, "a")]
    [InlineData("""{"jsonrpc":"2.0","id":null,"method":"a"}""", RpcKind.Notification, null, "a")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":null}""", RpcKind.Result, "1", "")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":-3,"message":"m"}}""", RpcKind.Error, "1", "")]
    public void The_four_kinds_are_told_apart(string line, RpcKind kind, string? id, string method)
    {
        RpcMessage message = Parse(line);
        Assert.Equal((kind, id, method), (message.Kind, message.Id, message.Method));
    }

    [Fact]
    public void An_error_has_its_code_text_and_data()
    {
        RpcMessage message = Parse("""{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no","data":{"type":"T"}}}""");
        Assert.Equal((1, "no", "T"), (message.ErrorCode, message.ErrorText, new RpcParams(message.Content).Text("type")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("[{}]")]
    [InlineData("{}")]
    [InlineData("{\"jsonrpc\":\"2.0\"}")]
    [InlineData("{\"jsonrpc\":\"1.0\",\"method\":\"a\"}")]
    [InlineData("{\"jsonrpc\":2.0,\"method\":\"a\"}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"method\":\"\"}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"method\":5}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":[1]}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":{}}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":true}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"result\":1}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":\"1\",\"message\":\"m\"}}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1e99,\"message\":\"m\"}}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"method\":\"b\"}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"method\":\"\\ud800\"}")]
    [InlineData("{\"jsonrpc\":\"2.0\",\"method\":\"a\"} x")]
    public void Anything_else_is_refused(string line) => Assert.Throws<RpcFormatException>(() => Parse(line));

    [Fact]
    public void Depth_and_lengths_have_limits()
    {
        Assert.Throws<RpcFormatException>(() => Parse($$"""{"jsonrpc":"2.0","id":1,"result":{{new string('[', 40)}}{{new string(']', 40)}}}"""));
        Assert.Throws<RpcFormatException>(() => Parse($$"""{"jsonrpc":"2.0","method":"{{new string('m', 65)}}"}"""));
        Assert.Throws<RpcFormatException>(() => Parse($$"""{"jsonrpc":"2.0","method":"a","id":"{{new string('i', 65)}}"}"""));
        Assert.Throws<RpcFormatException>(() => RpcMessage.Parse(new byte[] { (byte)'"', 0xc3, (byte)'"' }));
    }

    [Fact]
    public void Members_of_the_wrong_type_are_bad_requests()
    {
        RpcParams parameters = new(JsonDocument.Parse(
            """{"n":5,"t":"x","l":["a",1],"o":{"k":1},"s":"\ud800","z":"a\u0000b","long":"xxxxx","null":null,"f":true,"list":[{}]}""").RootElement);
        Assert.Throws<RpcException>(() => parameters.Text("n"));
        Assert.Throws<RpcException>(() => parameters.Text("absent"));
        Assert.Throws<RpcException>(() => parameters.Text("null"));
        Assert.Throws<RpcException>(() => parameters.Text("s"));
        Assert.Throws<RpcException>(() => parameters.Text("z"));
        Assert.Throws<RpcException>(() => parameters.Text("long", maxLength: 4));
        Assert.Throws<RpcException>(() => parameters.Number("n", 0, 0, 4));
        Assert.Throws<RpcException>(() => parameters.Number("t", 0, 0, 4));
        Assert.Throws<RpcException>(() => parameters.Texts("l", 2));
        Assert.Throws<RpcException>(() => parameters.Texts("l", 1));
        Assert.Throws<RpcException>(() => parameters.TextMap("o", 1));
        Assert.Throws<RpcException>(() => parameters.Flag("n"));
        Assert.Throws<RpcException>(() => parameters.Objects("l", 2));
        Assert.Null(parameters.OptionalText("null"));
        Assert.True(parameters.Flag("f"));
        Assert.Single(parameters.Objects("list", 1));
    }

    [Fact]
    public void What_we_write_is_read_as_it_was_meant() => Gen.Select(Gen.String.AlphaNumeric, Gen.Int.Positive).Sample((text, id) =>
    {
        byte[] line = RpcWriter.Request(id, "m" + text[..Math.Min(text.Length, 20)], writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("value", text);
            writer.WriteEndObject();
        });
        Assert.Equal((byte)'\n', line[^1]);
        RpcMessage message = RpcMessage.Parse(line.AsMemory(..^1));
        Assert.Equal((id.ToString(System.Globalization.CultureInfo.InvariantCulture), text), (message.Id, new RpcParams(message.Content).Text("value", int.MaxValue)));
    });

    private static RpcMessage Parse(string line) => RpcMessage.Parse(Encoding.UTF8.GetBytes(line));
}
