using System.Globalization;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Labels;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Store.Format;
using Qubes.Store.Inspection;

namespace Qubes.Store.Loading;

/// <summary>
/// Fills an empty application from a document, without events. Order: labels, pools; each qube with its stage-2 properties; dom0 if
/// absent; migrations; global properties; then per qube the properties that refer to others, features, tags, devices. An entry that
/// cannot be used is set aside with all that refers to it and kept verbatim.
/// </summary>
internal sealed class StoreLoader
{
    private readonly QubesApp _app;
    private readonly StoreDocument _document;
    private readonly ReadOnlyMemory<byte> _content;
    private readonly PreservedEntries _preserved;
    private readonly Dictionary<Qube, StoredQube> _loaded = [];
    private readonly HashSet<int> _quarantined = [];
    private readonly List<StoreProblem> _problems = [];

    private StoreLoader(QubesApp app, StoreDocument document, ReadOnlyMemory<byte> content, PreservedEntries preserved)
    {
        _app = app;
        _document = document;
        _content = content;
        _preserved = preserved;
    }

    /// <param name="app">An application without qubes.</param>
    /// <param name="document">What was read.</param>
    /// <param name="content">The text it was read from, for entries to be kept verbatim.</param>
    /// <param name="preserved">Receives what could not be used.</param>
    /// <returns>What the application was told as problems, with their places.</returns>
    public static IReadOnlyList<StoreProblem> Load(
        QubesApp app, StoreDocument document, ReadOnlyMemory<byte> content, PreservedEntries preserved)
    {
        StoreLoader loader = new(app, document, content, preserved);
        loader.Run();
        return loader._problems;
    }

    private void Run()
    {
        _preserved.Foreign = _document.Foreign;
        _preserved.End = _document.End;
        LoadLabels();
        LoadPools();
        foreach (StoredQube stored in _document.Qubes)
        {
            Guard(stored, qube: null, () => _loaded.Add(QubeLoader.Create(_app, stored), stored));
        }

        if (!_app.Domains.TryGet(0, out _))
        {
            _app.Domains.Load(QubeClasses.AdminVM, default);
            Report("qubes", "dom0 was missing and was added");
        }

        Migrations.BeforeGlobalProperties(_app, _document, _loaded);
        LoadGlobalProperties();
        foreach (Qube qube in _app.Domains.ToArray())
        {
            if (_loaded.TryGetValue(qube, out StoredQube? stored))
            {
                Guard(stored, qube, () => QubeLoader.Complete(qube, stored, text => Report(PlaceOf(stored), text)));
            }
        }

        SetAsideReferrers();
        _preserved.Qubes.AddRange(StoreReader.ReadQubesVerbatim(_content, _quarantined).OrderBy(e => e.Key).Select(e => e.Value));
    }

    private static string PlaceOf(StoredQube stored) => stored.Line > 0 ? StoreProblem.Line(stored.Line) : "journal";

    private void Report(string place, string text)
    {
        _problems.Add(new StoreProblem(place, text));
        _app.ReportProblem(text);
    }

    private void LoadLabels()
    {
        foreach (StoredLabel label in _document.Labels)
        {
            int dash = label.Id.IndexOf('-', StringComparison.Ordinal);
            if (dash < 0 || !int.TryParse(label.Id.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                || !LabelName.TryParse(label.Name, out _) || _app.Labels.All.Any(l => l.Index == index || l.Name == label.Name))
            {
                _preserved.Labels.Add(label);
                Report(StoreProblem.Line(label.Line), $"label '{label.Name}' ({label.Id}) is not usable and was set aside");
                continue;
            }

            _app.Labels.Load(new Label(index, label.Name, Migrations.LabelColor(index, label.Color)));
            _preserved.Foreign.Add("label", label.Name, label.Foreign);
        }
    }

    private void LoadPools()
    {
        List<PoolConfig> pools = [];
        foreach (StoredPool stored in _document.Pools)
        {
            if (stored.Name.Length == 0 || stored.Driver.Length == 0 || pools.Exists(p => p.Name == stored.Name))
            {
                _preserved.Pools.Add(stored);
                Report("pools", $"pool '{stored.Name}' is not usable and was set aside");
                continue;
            }

            pools.Add(new PoolConfig
            {
                Name = stored.Name,
                Driver = stored.Driver,
                Options = [.. stored.Attributes.Where(a => a.Key is not ("name" or "driver"))],
            });
            _preserved.Foreign.Add("pool", stored.Name, stored.Foreign);
        }

        _app.Pools.Load(pools);
    }

    private void LoadGlobalProperties()
    {
        foreach ((string name, string text) in _document.Properties)
        {
            if (name == Migrations.OldFirewallNetVM)
            {
                continue;
            }

            try
            {
                _app.Property(name).LoadText(_app, Migrations.PropertyText(_app, name, text));
            }
            catch (QubesException e)
            {
                _preserved.Properties.Add(new(name, text));
                Report("properties", $"global property {name} could not be loaded and was set aside: {e.Message}");
            }
        }
    }

    private void Guard(StoredQube stored, Qube? qube, Action load)
    {
        try
        {
            load();
        }
        catch (Exception e) when (e is QubesException or FormatException or OverflowException or ArgumentException)
        {
            SetAside(stored, qube, e.Message);
        }
    }

    private void SetAside(StoredQube stored, Qube? qube, string reason)
    {
        if (qube is not null)
        {
            _app.Domains.Unload(qube);
            _loaded.Remove(qube);
        }

        string? name = stored.Property("name");
        _app.Domains.Reserve(name, stored.Qid);
        if (stored.Source is { } source)
        {
            _preserved.Qubes.Add(source);
        }
        else
        {
            _quarantined.Add(stored.Position);
        }

        Report(PlaceOf(stored), $"qube '{name}' could not be loaded and was set aside: {reason}");
    }

    // A qube whose template, netvm, … was set aside must not run with another one in its place.
    private void SetAsideReferrers()
    {
        bool again = true;
        while (again)
        {
            again = false;
            foreach ((Qube qube, StoredQube stored) in _loaded.ToArray())
            {
                foreach (PropertyDefinition property in qube.Properties.References)
                {
                    if (property.IsExplicit(qube) && property.TryGetObject(qube, out object? value) && value is Qube { IsInCollection: false } gone)
                    {
                        SetAside(stored, qube, $"its {property.Name} '{gone.Name}' was set aside");
                        again = true;
                        break;
                    }
                }
            }
        }

        foreach (PropertyDefinition property in _app.Properties.References)
        {
            if (property.IsExplicit(_app) && property.TryGetObject(_app, out object? value) && value is Qube { IsInCollection: false } gone)
            {
                _preserved.Properties.Add(new(property.Name, gone.Name));
                property.Reset(_app);
                Report("properties", $"global property {property.Name} refers to '{gone.Name}', which was set aside");
            }
        }
    }
}
