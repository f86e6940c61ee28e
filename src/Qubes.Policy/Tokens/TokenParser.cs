using System.Diagnostics.CodeAnalysis;
using Qubes.Policy.Text;

namespace Qubes.Policy.Tokens;

/// <summary>Reads tokens by the table of where each may stand. Names are not checked for characters or existence.</summary>
public static class TokenParser
{
    internal const string DispVmPrefix = "@dispvm:";

    private const int Source = 1 << (int)TokenContext.Source;
    private const int Target = 1 << (int)TokenContext.Target;
    private const int Redirect = 1 << (int)TokenContext.Redirect;
    private const int Intended = 1 << (int)TokenContext.IntendedTarget;

    private static readonly (string Text, TokenKind Kind, int Contexts)[] s_words =
    [
        ("*", TokenKind.Any, Source | Target),
        ("@adminvm", TokenKind.AdminVm, Source | Target | Redirect | Intended),
        ("@anyvm", TokenKind.AnyVm, Source | Target),
        ("@default", TokenKind.Default, Target | Intended),
        ("@dispvm", TokenKind.DispVm, Target | Redirect | Intended),
    ];

    // A value that begins with '@' belongs to a longer prefix further down, or to nothing.
    private static readonly (string Text, TokenKind Kind, int Contexts)[] s_prefixes =
    [
        ("@type:", TokenKind.Type, Source | Target),
        ("@tag:", TokenKind.Tag, Source | Target),
        (DispVmPrefix, TokenKind.DispVmTemplate, Source | Target | Redirect | Intended),
        ("@dispvm:@tag:", TokenKind.DispVmTag, Source | Target),
    ];

    /// <summary>Reads one token; <paramref name="error"/> says what is wrong with it otherwise.</summary>
    public static bool TryParse(
        string text, TokenContext context, [NotNullWhen(true)] out PolicyToken? token, [NotNullWhen(false)] out string? error)
    {
        token = null;
        error = null;
        if (text.Length == 0)
        {
            error = $"invalid empty {NameOf(context)} token";
            return false;
        }

        if (text[0] != '@' && text != "*")
        {
            token = PolicyToken.Named(text);
            return true;
        }

        int here = 1 << (int)context;
        foreach ((string word, TokenKind kind, int contexts) in s_words)
        {
            if ((contexts & here) != 0 && text == word)
            {
                token = new PolicyToken(kind, text, "");
                return true;
            }
        }

        foreach ((string prefix, TokenKind kind, int contexts) in s_prefixes)
        {
            if ((contexts & here) == 0 || !text.StartsWith(prefix, StringComparison.Ordinal))
            {
                continue;
            }

            string value = text[prefix.Length..];
            if (value.Length == 0)
            {
                error = $"invalid empty {prefix} token: {PythonText.Quote(text)}";
                return false;
            }

            if (value[0] != '@')
            {
                token = new PolicyToken(kind, text, value);
                return true;
            }
        }

        error = $"invalid {NameOf(context)} token: {PythonText.Quote(text)}";
        return false;
    }

    private static string NameOf(TokenContext context) => context switch
    {
        TokenContext.Source => "source",
        TokenContext.Target => "target",
        TokenContext.Redirect => "redirect",
        _ => "intendedtarget",
    };
}
