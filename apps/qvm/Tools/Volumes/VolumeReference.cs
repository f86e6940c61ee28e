using Qubes.Client;
using Qvm.CommandLine;

namespace Qvm.Tools.Volumes;

/// <summary>A volume as it is named on the command line: <c>VM:VOLUME</c>.</summary>
internal sealed record VolumeReference(Qube Qube, string Name)
{
    /// <summary>Reads the word and makes sure that qube and volume exist.</summary>
    public static async Task<VolumeReference> FindAsync(ToolContext context, string word)
    {
        if (word.Split(':') is not [string name, string volume])
        {
            throw new UsageException("expected a vm & volume combination like foo:bar");
        }

        if ((await context.App.ListQubesAsync()).All(q => q.Name != name))
        {
            throw new ToolException($"no vm '{name}'");
        }

        Qube qube = context.App[name];
        return (await qube.ListVolumesAsync()).Contains(volume)
            ? new VolumeReference(qube, volume)
            : throw new ToolException($"vm '{name}' has no volume '{volume}'");
    }

    public async Task<Dictionary<string, string>> InfoAsync() =>
        (await Qube.GetVolumeInfoAsync(Name)).ToDictionary(StringComparer.Ordinal);

    public override string ToString() => $"{Qube.Name}:{Name}";
}
