using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Model.Network;
using Qubes.Model.Properties;
using Qubes.Protocol.Events;
using Qubes.Protocol.Names;

namespace Qubes.Model.Tests;

/// <summary>A small system of qubes, and a record of what an observer sees.</summary>
internal sealed class TestSystem : IEventObserver
{
    public TestSystem(IHostFacts? host = null, TimeProvider? time = null)
    {
        App = new QubesApp(host ?? new FixedHostFacts { MemoryMiB = 4096 }, time);
        foreach (Label label in LabelSet.BuiltIn)
        {
            App.Labels.Load(label);
        }

        Qube dom0 = App.Domains.Load(QubeClasses.AdminVM, default);
        QubeProperties.Label.LoadText(dom0, "black");
        App.FinishLoading();
        Template = (TemplateVM)Create(QubeClasses.TemplateVM, "fedora");
        QubesAppProperties.DefaultTemplate.Set(App, Template);
        App.Events.AddObserver(this);
    }

    public QubesApp App { get; }

    public AdminVM Dom0 => App.Domains.AdminVM;

    public TemplateVM Template { get; }

    /// <summary>The names of the events seen, as <c>SUBJECT EVENT</c>; the application has no subject.</summary>
    public List<string> Seen { get; } = [];

    /// <summary>The events seen with their keywords.</summary>
    public List<QubesEvent> Events { get; } = [];

    public AppVM AppVM(string name) => (AppVM)Create(QubeClasses.AppVM, name);

    /// <summary>An AppVM disposables may be made from.</summary>
    public AppVM DisposableTemplate(string name)
    {
        AppVM qube = AppVM(name);
        DisposableTemplateProperties.TemplateForDispVMs.Set(qube, true);
        Seen.Clear();
        Events.Clear();
        return qube;
    }

    public DispVM Disposable(string name, Qube template, params (PropertyDefinition Property, object? Value)[] properties)
    {
        DispVM qube = (DispVM)App.Domains.Create(new NewQube
        {
            Class = QubeClasses.DispVM,
            Name = QubeName.Parse(name),
            Label = App.Labels.Find("red"),
            Template = template,
            Properties = properties,
        });
        Seen.Clear();
        Events.Clear();
        return qube;
    }

    public AppVM NetVM(string name)
    {
        AppVM qube = AppVM(name);
        NetworkProperties.ProvidesNetwork.Set(qube, true);
        Seen.Clear();
        return qube;
    }

    public Qube Create(QubeClass qubeClass, string name, params (PropertyDefinition Property, object? Value)[] properties)
    {
        Qube qube = App.Domains.Create(new NewQube
        {
            Class = qubeClass,
            Name = QubeName.Parse(name),
            Label = App.Labels.Find("red"),
            Properties = properties,
        });
        Seen.Clear();
        Events.Clear();
        return qube;
    }

    public void OnEvent(QubesEvent qubesEvent)
    {
        Events.Add(qubesEvent);
        Seen.Add($"{qubesEvent.Subject.SubjectText} {qubesEvent.Name}".TrimStart());
    }

    public string Keywords(string eventName)
    {
        QubesEvent found = Events.Single(e => e.Name == eventName);
        List<string> items = [];
        foreach (KeyValuePair<string, object?> item in found.Arguments.Items)
        {
            items.Add($"{item.Key}={EventValue.ToText(item.Value)}");
        }

        return string.Join(' ', items);
    }

    public static string Read(PropertyHolder holder, string property) => holder.Property(property).Read(holder).Content.ToString();

    public static void Set(PropertyHolder holder, string property, string payload)
    {
        PropertyDefinition definition = holder.Property(property);
        definition.SetInput(holder, definition.Sanitise(System.Text.Encoding.ASCII.GetBytes(payload)));
    }

    public static void Reset(PropertyHolder holder, string property) => holder.Property(property).Reset(holder);
}
