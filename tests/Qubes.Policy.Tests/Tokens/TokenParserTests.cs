using Qubes.Policy.Tokens;

namespace Qubes.Policy.Tests.Tokens;

public sealed class TokenParserTests
{
    // Columns: source, target, redirect, intended target.
    [Theory]
    [InlineData("work", true, true, true, true)]
    [InlineData("dom0", true, true, true, true)]
    [InlineData("uuid:d8a249f1-b02b-4944-a9e5-437def2fbe2c", true, true, true, true)]
    [InlineData("uuid:x", true, true, true, true)]
    [InlineData("**", true, true, true, true)]
    [InlineData("$anyvm", true, true, true, true)]
    [InlineData("*", true, true, false, false)]
    [InlineData("@adminvm", true, true, true, true)]
    [InlineData("@anyvm", true, true, false, false)]
    [InlineData("@default", false, true, false, true)]
    [InlineData("@type:AppVM", true, true, false, false)]
    [InlineData("@tag:office", true, true, false, false)]
    [InlineData("@dispvm", false, true, true, true)]
    [InlineData("@dispvm:dvm", true, true, true, true)]
    [InlineData("@dispvm:uuid:d8a249f1-b02b-4944-a9e5-437def2fbe2c", true, true, true, true)]
    [InlineData("@dispvm:@tag:viewer", true, true, false, false)]
    public void A_token_stands_only_where_it_may(string text, bool source, bool target, bool redirect, bool intended)
    {
        Assert.Equal(source, TokenParser.TryParse(text, TokenContext.Source, out _, out _));
        Assert.Equal(target, TokenParser.TryParse(text, TokenContext.Target, out _, out _));
        Assert.Equal(redirect, TokenParser.TryParse(text, TokenContext.Redirect, out _, out _));
        Assert.Equal(intended, TokenParser.TryParse(text, TokenContext.IntendedTarget, out _, out _));
    }

    [Theory]
    [InlineData(TokenContext.Source, "", "invalid empty source token")]
    [InlineData(TokenContext.Target, "", "invalid empty target token")]
    [InlineData(TokenContext.Redirect, "", "invalid empty redirect token")]
    [InlineData(TokenContext.IntendedTarget, "", "invalid empty intendedtarget token")]
    [InlineData(TokenContext.Source, "@type:", "invalid empty @type: token: '@type:'")]
    [InlineData(TokenContext.Target, "@tag:", "invalid empty @tag: token: '@tag:'")]
    [InlineData(TokenContext.Redirect, "@dispvm:", "invalid empty @dispvm: token: '@dispvm:'")]
    [InlineData(TokenContext.Target, "@dispvm:@tag:", "invalid empty @dispvm:@tag: token: '@dispvm:@tag:'")]
    [InlineData(TokenContext.Redirect, "@dispvm:@tag:", "invalid redirect token: '@dispvm:@tag:'")]
    [InlineData(TokenContext.Target, "@tag:@x", "invalid target token: '@tag:@x'")]
    [InlineData(TokenContext.Source, "@uuid:d8a249f1", "invalid source token: '@uuid:d8a249f1'")]
    [InlineData(TokenContext.Target, "@dispvm:@adminvm", "invalid target token: '@dispvm:@adminvm'")]
    [InlineData(TokenContext.Source, "@invalid", "invalid source token: '@invalid'")]
    [InlineData(TokenContext.Redirect, "*", "invalid redirect token: '*'")]
    [InlineData(TokenContext.IntendedTarget, "@tag:'", "invalid intendedtarget token: \"@tag:'\"")]
    [InlineData(TokenContext.Source, "@\u001b[2J", "invalid source token: '@\\x1b[2J'")]
    public void The_error_says_what_is_wrong_with_a_token(TokenContext context, string text, string expected)
    {
        Assert.False(TokenParser.TryParse(text, context, out PolicyToken? token, out string? error));
        Assert.Null(token);
        Assert.Equal(expected, error);
    }

    [Theory]
    [InlineData("@type:AppVM", TokenKind.Type, "AppVM")]
    [InlineData("@tag:a", TokenKind.Tag, "a")]
    [InlineData("@dispvm:x", TokenKind.DispVmTemplate, "x")]
    [InlineData("@dispvm:@tag:t", TokenKind.DispVmTag, "t")]
    [InlineData("work", TokenKind.Name, "work")]
    [InlineData("*", TokenKind.Any, "")]
    public void A_token_has_a_kind_and_a_value(string text, TokenKind kind, string value)
    {
        Assert.True(TokenParser.TryParse(text, TokenContext.Target, out PolicyToken? token, out _));
        Assert.Equal(new PolicyToken(kind, text, value), token);
        Assert.Equal(text, token.ToString());
    }

    [Theory]
    [InlineData("dom0", true)]
    [InlineData("@adminvm", true)]
    [InlineData("uuid:00000000-0000-0000-0000-000000000000", true)]
    [InlineData("uuid:00000000-0000-0000-0000-000000000001", false)]
    [InlineData("Dom0", false)]
    public void Three_texts_mean_dom0(string text, bool isDom0) => Assert.Equal(isDom0, PolicyToken.Named(text).IsDom0);
}
