namespace Qubes.Client;

/// <summary>A line of <c>admin.vm.List</c>.</summary>
/// <param name="Name">The qube's name.</param>
/// <param name="Class">For example <c>AppVM</c>.</param>
/// <param name="State">Power state when the list was made, for example <c>Running</c>.</param>
public sealed record QubeInfo(string Name, string Class, string State)
{
    // <name> SP "class=" class SP "state=" state ( SP key "=" value )*
    internal static QubeInfo Parse(string line)
    {
        string[] words = line.Split(' ');
        string? Value(string key) => words.Skip(1).FirstOrDefault(w => w.StartsWith(key, StringComparison.Ordinal))?[key.Length..];
        return Value("class=") is { } klass && Value("state=") is { } state
            ? new QubeInfo(words[0], klass, state)
            : throw ClientErrors.Communication($"Unexpected line in list of qubes: {line}");
    }
}
