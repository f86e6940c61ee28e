using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions;

/// <summary>
/// Features of one prefix as entries of the qube's QubesDB: all of them when the database is made, each as it is set or removed
/// while the qube runs.
/// </summary>
/// <param name="prefix">Of the features, with its dot.</param>
/// <param name="write">Writes one: the qube, the feature's name without the prefix, its value.</param>
/// <param name="remove">Removes one.</param>
internal sealed class FeatureKeys(string prefix, Action<LocalQube, string, string> write, Action<LocalQube, string> remove)
{
    public void Register(QubesApp app, DurableEvents durable)
    {
        app.Events.On(EmitterClass.LocalVM, "domain-qdb-create", created => WriteAll((LocalQube)created.Subject));
        durable.On("domain-feature-set", prefix, changed => Update(changed, qube => write(qube, NameIn(changed), (string)changed.Arguments["value"]!)));
        durable.On("domain-feature-delete", prefix, changed => Update(changed, qube => remove(qube, NameIn(changed))));
    }

    private void WriteAll(LocalQube qube)
    {
        foreach ((string feature, string value) in qube.Features.All)
        {
            if (feature.StartsWith(prefix, StringComparison.Ordinal))
            {
                write(qube, feature[prefix.Length..], value);
            }
        }
    }

    private string NameIn(QubesEvent changed) => changed.Detail[prefix.Length..].ToString();

    private static void Update(QubesEvent changed, Action<LocalQube> update)
    {
        if (changed.Subject is not LocalQube { IsRunning: true } qube)
        {
            return;
        }

        try
        {
            update(qube);
        }
        catch (QubesException)
        {
            // No entry can have that name or value: such features can only come from an older store, and are left out.
        }
    }
}
