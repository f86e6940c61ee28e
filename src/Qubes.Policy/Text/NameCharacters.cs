using System.Buffers;

namespace Qubes.Policy.Text;

/// <summary>The character sets of service names, arguments and policy file names.</summary>
internal static class NameCharacters
{
    private const string Alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>What a service name may contain.</summary>
    public static readonly SearchValues<char> Service = SearchValues.Create(Alphanumeric + "-._");

    /// <summary>What an argument, including its leading <c>+</c>, may contain.</summary>
    public static readonly SearchValues<char> Argument = SearchValues.Create(Alphanumeric + "+-._");

    /// <summary>What the name of a policy file may contain: no capitals.</summary>
    public static readonly SearchValues<char> FileName = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_.-");

    /// <summary>What a qube named to the evaluation services may contain.</summary>
    public static readonly SearchValues<char> EvaluatedName = SearchValues.Create(Alphanumeric + "@_.-");

    /// <summary>The distinct characters of <paramref name="text"/> outside <paramref name="allowed"/>, in order.</summary>
    public static IReadOnlyCollection<char> Invalid(string text, SearchValues<char> allowed) =>
        text.AsSpan().ContainsAnyExcept(allowed) ? [.. text.Where(c => !allowed.Contains(c)).Distinct().Order()] : [];
}
