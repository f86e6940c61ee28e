using System.Text;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Labels;
using Qubes.Model.Properties;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Planning;

/// <summary>Carries out steps on a model, the daemon's or a copy.</summary>
/// <param name="app">The model.</param>
/// <param name="creator">Who is noted as creator of new qubes.</param>
internal sealed class ChangeRunner(QubesApp app, string creator)
{
    private readonly HashSet<string> _created = new(StringComparer.Ordinal);

    /// <exception cref="QubesException">What the single call would have given.</exception>
    public async Task RunAsync(ChangeStep step)
    {
        switch (step)
        {
            case DeviceStep device:
                await DeviceChanges.RunAsync(app, device);
                break;
            case PoolSettingStep or VolumeSettingStep:
                StorageChanges.Run(app, step);
                break;
            case FirewallStep or NotesStep:
                FileChanges.Run(app, step);
                break;
            case LabelStep { UntrustedColor: { } color } label:
                app.Labels.Create(LabelName.Parse(label.UntrustedName, forCreation: true), LabelColor.Parse(Encoding.UTF8.GetBytes(color)));
                break;
            case LabelStep gone:
                app.Labels.Remove(app.Labels.Find(LabelName.Parse(gone.UntrustedName, forCreation: false)));
                break;
            case CreateStep create:
                Create(create);
                break;
            case RemoveStep:
                Qube removed = Removable(step);
                app.Domains.CheckRemovable(removed);
                RefuseWaiting(removed);
                app.Domains.Remove(removed);
                break;
            case PropertyStep { UntrustedValue: null } reset:
                PropertyHolder holder = Holder(step);
                holder.Property(reset.UntrustedName).Reset(holder);
                break;
            case PropertyStep set:
                holder = Holder(step);
                PropertyDefinition property = holder.Property(set.UntrustedName);
                property.SetInput(holder, property.Sanitise(Encoding.UTF8.GetBytes(set.UntrustedValue)));
                break;
            case FeatureStep { UntrustedValue: null } remove:
                Qube(step).Features.Remove(remove.UntrustedName);
                break;
            case FeatureStep feature:
                (FeatureName name, string value) = FeatureName.ParseAssignment(feature.UntrustedName, Encoding.UTF8.GetBytes(feature.UntrustedValue));
                Qube(step).Features.Set(name, value);
                break;
            case TagStep { IsSet: true } tag:
                Qube(step).Tags.Add(TagName.Parse(tag.UntrustedName));
                break;
            case TagStep tag:
                Qube(step).Tags.Remove(TagName.Parse(tag.UntrustedName));
                break;
            default:
                throw new NotSupportedException(step.GetType().Name);
        }
    }

    /// <summary>It is so already: nothing needs to be done, and no event told.</summary>
    public bool IsDone(ChangeStep step) => step switch
    {
        PropertyStep { UntrustedValue: null } reset => Holder(step) is var holder && !holder.Property(reset.UntrustedName).IsExplicit(holder),
        PropertyStep set => Holder(step) is var holder && holder.Property(set.UntrustedName) is var property
            && property.IsExplicit(holder) && property.Read(holder).Text == set.UntrustedValue,
        FeatureStep feature => Qube(step).Features.Get(feature.UntrustedName) == feature.UntrustedValue,
        TagStep tag => Qube(step).Tags.Contains(TagName.Parse(tag.UntrustedName)) == tag.IsSet,
        DeviceStep device => DeviceChanges.IsDone(app, device),
        LabelStep label => ColorOf(label) == label.UntrustedColor,
        PoolSettingStep or VolumeSettingStep => StorageChanges.IsDone(app, step),

        // A new qube may come with rules of its template.
        FirewallStep or NotesStep => !_created.Contains(step.UntrustedQube) && FileChanges.IsDone(app, step),
        _ => false,
    };

    /// <summary>What the step is about, as it is now: for comparing.</summary>
    public string Describe(ChangeStep step) => step switch
    {
        PropertyStep property => Holder(step) is var holder && holder.Property(property.UntrustedName) is var definition
            ? definition.IsExplicit(holder) ? "=" + definition.Read(holder).Text : "default"
            : "",
        FeatureStep feature => Qube(step).Features.Get(feature.UntrustedName) is { } value ? "=" + value : "absent",
        TagStep tag => Qube(step).Tags.Contains(tag.UntrustedName) ? "set" : "absent",
        DeviceStep device => DeviceChanges.Describe(app, device),
        LabelStep label => ColorOf(label) ?? "absent",
        PoolSettingStep or VolumeSettingStep => StorageChanges.Describe(app, step),
        FirewallStep or NotesStep => FileChanges.Describe(app, step),
        _ => "",
    };

    /// <summary>The qube a removal is about.</summary>
    public Qube Removable(ChangeStep step) => Qube(step) switch
    {
        AdminVM => throw QubesErrors.VMInUse("dom0", "'dom0' cannot be removed"),
        QubesVM { InstalledByRpm: true } vm => throw QubesErrors.VMInUse(vm.Name, $"VM installed by package manager: {vm.Name}"),
        Qube qube => qube,
    };

    // Ending them takes commits of their own, by which the document's revision would be over.
    private void RefuseWaiting(Qube template)
    {
        if (app.Domains.OfType<DispVM>().Any(disposable => disposable.Template == template && disposable.IsPreload))
        {
            throw QubesErrors.VMInUse(template.Name, $"Disposables of '{template.Name}' are kept ready: set its feature preload-dispvm-max to 0 first");
        }
    }

    public Qube Qube(ChangeStep step) => app.Domains.Find(step.UntrustedQube);

    private string? ColorOf(LabelStep step) =>
        app.Labels.TryFind(LabelName.Parse(step.UntrustedName, forCreation: false), out Label? label) && label.Name == step.UntrustedName ? label.Color : null;

    private PropertyHolder Holder(ChangeStep step) => step.UntrustedQube.Length == 0 ? app : Qube(step);

    private void Create(CreateStep step)
    {
        QubeName name = QubeName.Parse(step.UntrustedQube);
        if (!app.Classes.TryFind(step.UntrustedClass, out QubeClass? qubeClass))
        {
            throw QubesErrors.General($"no such class of qubes: {step.UntrustedClass}");
        }

        if (step.UntrustedTemplate is not null && !qubeClass.HasTemplate)
        {
            throw QubesErrors.Protocol($"{qubeClass.Name} cannot be based on template");
        }

        Label label = app.Labels.Find(LabelName.Parse(step.UntrustedLabel, forCreation: false));
        Qube? template = step.UntrustedTemplate is { } text ? app.Domains.Find(text) : null;
        if (step.UntrustedPool is { } pool && !app.Pools.TryGet(pool, out _))
        {
            throw QubesErrors.General($"Unknown storage pool {pool}");
        }

        Qube qube = app.Domains.Create(new NewQube { Class = qubeClass, Name = name, Label = label, Template = template });
        qube.Tags.Add(TagName.Parse("created-by-" + creator));
        _created.Add(name);
        if (qube is QubesVM vm)
        {
            // It has no files yet.
            vm.Firewall.Load(null);
            vm.Notes.Load("");
        }
    }
}
