using Qubes.Extensions.OutOfProcess.Configuration;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>
/// Qubes of the classes an extension brings are there whether it runs or not; they are made and started only while it runs and says that it
/// serves the class. Belongs to the model loop.
/// </summary>
internal sealed class ClassGuard
{
    private readonly ExtensionDefinition _definition;
    private readonly QubesApp _app;
    private readonly Func<ExtensionSession?> _session;

    public ClassGuard(ExtensionDefinition definition, QubesApp app, Func<ExtensionSession?> session)
    {
        _definition = definition;
        _app = app;
        _session = session;
        foreach (QubeClass qubeClass in definition.Classes)
        {
            app.Events.On(qubeClass.Emitter, "domain-init", RefuseUnlessServed, own: true);
            app.Events.On(qubeClass.Emitter, "domain-pre-start", RefuseUnlessServed, own: true);
        }
    }

    /// <summary>The classes that have qubes and are not served now.</summary>
    public IEnumerable<string> Waiting => _definition.Classes.Where(c => !IsServed(c) && _app.Domains.Any(qube => qube.Class == c)).Select(c => c.Name);

    private bool IsServed(QubeClass qubeClass) => _session() is { IsReady: true } session && session.Registrations.QubeClasses.Contains(qubeClass.Name);

    private void RefuseUnlessServed(QubesEvent happened)
    {
        QubeClass qubeClass = ((Qube)happened.Subject).Class;
        if (!IsServed(qubeClass))
        {
            throw QubesErrors.VM($"Qubes of class {qubeClass.Name} need extension '{_definition.Name}', which does not serve them now");
        }
    }
}
