using System.Buffers;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Storage;

namespace Qubes.Extensions.OutOfProcess.Storage;

/// <summary>What an extension says of a storage driver it brings.</summary>
/// <param name="Parameters">Its own, then those every driver has.</param>
/// <param name="CanEncrypt">It starts volatile volumes with a key that nobody keeps, if asked to.</param>
internal sealed record StorageDriverDefinition(string Name, string Description, IReadOnlyList<PoolParameter> Parameters, bool CanEncrypt)
{
    public const int MaxDrivers = 8;

    private const int MaxNameLength = 31;
    private const int MaxParameters = 32;
    private const int MaxDescriptionLength = 256;

    // What the store, the pool's own description and the calls have for themselves.
    private static readonly string[] Reserved = ["name", "driver", "size", "usage", "included_in"];
    private static readonly string[] Common = ["revisions_to_keep", "ephemeral_volatile"];

    private static readonly SearchValues<char> DriverCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_");
    private static readonly SearchValues<char> ParameterCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");

    // {"name": NAME, "description": TEXT, "parameters": [{"name": NAME, "required": BOOL}, …], "ephemeral": BOOL}, all but the name optional

    /// <exception cref="RpcException">It is not of that form.</exception>
    public static StorageDriverDefinition Parse(RpcParams untrusted)
    {
        string name = Checked(untrusted.Text("name", MaxNameLength), DriverCharacters, "a storage driver's name is small letters, digits, '-' and '_', a letter first");
        List<PoolParameter> parameters = [];
        foreach (RpcParams parameter in untrusted.Objects("parameters", MaxParameters))
        {
            string key = Checked(
                parameter.Text("name", MaxNameLength), ParameterCharacters, "a parameter's name is small letters, digits and '_', a letter first");
            if (Reserved.Contains(key) || Common.Contains(key) || parameters.Any(p => p.Name == key))
            {
                throw RpcException.InvalidParams($"storage driver '{name}' cannot have a parameter '{key}' of its own, or has it twice");
            }

            parameters.Add(new PoolParameter(key, parameter.Flag("required")));
        }

        return new StorageDriverDefinition(
            name,
            Refusal.Text(untrusted.OptionalText("description", MaxDescriptionLength) ?? ""),
            [.. parameters, .. Common.Select(common => new PoolParameter(common))],
            untrusted.Flag("ephemeral"));
    }

    /// <summary>Pools need not be opened anew for it.</summary>
    public bool IsSameAs(StorageDriverDefinition other) =>
        Name == other.Name && CanEncrypt == other.CanEncrypt && Parameters.SequenceEqual(other.Parameters);

    private static string Checked(string untrustedName, SearchValues<char> characters, string form) =>
        untrustedName.Length > 0 && char.IsAsciiLetterLower(untrustedName[0]) && !untrustedName.AsSpan().ContainsAnyExcept(characters)
            ? untrustedName : throw RpcException.InvalidParams(form);
}
