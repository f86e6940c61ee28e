using System.Globalization;
using Qubes.Model.Volumes;
using Qubes.Protocol.Text;

namespace Qubes.Store.Format;

/// <summary>
/// A volume's attributes, in order: <c>name pool vid revisions_to_keep rw save_on_stop snap_on_start</c>, then <c>ephemeral</c>,
/// <c>size</c> and <c>source</c> where there is something to say, then the driver's own.
/// </summary>
internal static class VolumeAttributes
{
    public static IEnumerable<KeyValuePair<string, string>> Of(VolumeConfig volume)
    {
        yield return new("name", volume.Name);
        if (volume.Pool is { } pool)
        {
            yield return new("pool", pool);
        }

        if (volume.Vid is { } vid)
        {
            yield return new("vid", vid);
        }

        if (volume.RevisionsToKeep is { } revisions)
        {
            yield return new("revisions_to_keep", revisions.ToString(CultureInfo.InvariantCulture));
        }

        yield return new("rw", PythonText.Bool(volume.Rw));
        yield return new("save_on_stop", PythonText.Bool(volume.SaveOnStop));
        yield return new("snap_on_start", PythonText.Bool(volume.SnapOnStart));
        if (volume.Ephemeral is { } ephemeral)
        {
            yield return new("ephemeral", PythonText.Bool(ephemeral));
        }

        if (volume.Size != 0)
        {
            yield return new("size", volume.Size.ToString(CultureInfo.InvariantCulture));
        }

        if (volume.Source is { } source)
        {
            yield return new("source", source);
        }

        foreach (KeyValuePair<string, string> extra in volume.Extra)
        {
            yield return extra;
        }
    }

    /// <summary>The volume a store's attributes describe: each overrides what the class says of the volume of that name.</summary>
    /// <exception cref="FormatException">A value that cannot be read.</exception>
    public static VolumeConfig Merge(VolumeConfig? ofClass, IReadOnlyList<KeyValuePair<string, string>> attributes)
    {
        string name = attributes.FirstOrDefault(a => a.Key == "name").Value is { Length: > 0 } given
            ? given
            : throw new FormatException("volume without a name");
        VolumeConfig volume = ofClass ?? new VolumeConfig { Name = name };
        List<KeyValuePair<string, string>> extra = [];
        foreach ((string key, string value) in attributes)
        {
            switch (key)
            {
                case "name" or "internal":
                    break;
                case "pool":
                    volume = volume with { Pool = value };
                    break;
                case "vid":
                    volume = volume with { Vid = value };
                    break;
                case "revisions_to_keep":
                    volume = volume with { RevisionsToKeep = int.Parse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) };
                    break;
                case "rw":
                    volume = volume with { Rw = Bool(key, value) };
                    break;
                case "save_on_stop":
                    volume = volume with { SaveOnStop = Bool(key, value) };
                    break;
                case "snap_on_start":
                    volume = volume with { SnapOnStart = Bool(key, value) };
                    break;
                case "ephemeral":
                    volume = volume with { Ephemeral = Bool(key, value) };
                    break;
                case "size":
                    volume = volume with { Size = long.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture) };
                    break;
                case "source":
                    volume = volume with { Source = value.Length == 0 ? null : value, SourceFromTemplate = value.Length == 0 };
                    break;
                default:
                    extra.Add(new(key, value));
                    break;
            }
        }

        return volume with { Extra = extra };
    }

    private static bool Bool(string key, string value) => value switch
    {
        "True" => true,
        "False" => false,
        _ => throw new FormatException($"volume attribute {key} is neither True nor False"),
    };
}
