using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Properties;
using Qubes.Protocol.Names;

namespace Qubes.Extensions;

/// <summary>
/// Keeps one tag <c>PREFIX-QUBE</c> on each qube in step with the property that names the qube serving it, so that policy can speak
/// of "all qubes of this guivm".
/// </summary>
internal sealed class ServedQubeTag
{
    private readonly PropertyDefinition<QubesVM, LocalQube?> _property;
    private readonly PropertyDefinition<QubesApp, LocalQube?> _default;
    private readonly string _prefix;

    public ServedQubeTag(
        PropertyDefinition<QubesVM, LocalQube?> property, PropertyDefinition<QubesApp, LocalQube?> defaultProperty, string prefix)
    {
        _property = property;
        _default = defaultProperty;
        _prefix = prefix;
    }

    public void Register(QubesApp app)
    {
        app.Events.On(EmitterClass.QubesVM, "domain-init", Update);
        app.Events.On(EmitterClass.QubesVM, "domain-load", Update);
        app.Events.On(EmitterClass.QubesVM, _property.SetEvent, Update);
        app.Events.On(EmitterClass.QubesVM, _property.ResetEvent, Update);
        app.Events.On(EmitterClass.Qubes, _default.SetEvent, AfterDefault);
        app.Events.On(EmitterClass.Qubes, _default.ResetEvent, AfterDefault);
    }

    private void Update(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        string? wanted = _property.Get(qube) is { } serving ? _prefix + serving.Name : null;
        foreach (string tag in qube.Tags.All.Where(t => t.StartsWith(_prefix, StringComparison.Ordinal) && t != wanted).ToArray())
        {
            qube.Tags.Remove(TagName.Parse(tag));
        }

        // A qube's name may have a dot, a tag may not: such a qube cannot be told by tag.
        if (TagName.TryParse(wanted, out TagName name))
        {
            qube.Tags.Add(name);
        }
    }

    private void AfterDefault(QubesEvent qubesEvent)
    {
        QubesApp app = qubesEvent.Subject.App;
        EventArguments arguments = EventArguments.Of(
            ("name", _property.Name), ("newvalue", _default.Get(app)), ("oldvalue", qubesEvent.Arguments["oldvalue"]));
        foreach (QubesVM qube in app.Domains.OfType<QubesVM>().Where(qube => !_property.IsExplicit(qube)).ToArray())
        {
            qube.Fire(_property.SetEvent, arguments);
        }
    }
}
