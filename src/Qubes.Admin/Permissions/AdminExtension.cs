using Qubes.Admin.Calls;
using Qubes.Admin.State;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Model.Events;
using Qubes.Model.Network;
using Qubes.Policy.Evaluation;
using Qubes.Policy.Loading;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Permissions;

/// <summary>
/// The built-in rules on who may do what beyond the policy that let a call through: features and tags that are the system's
/// own, and lists that show a qube only what policy lets it ask about one by one.
/// </summary>
public sealed class AdminExtension
{
    private const string Refusal = "is prohibited by qubes.ext.admin.AdminExtension";
    private const string CreatedBy = "created-by-";

    private readonly PolicyStore _policies;
    private readonly SystemInfoSource _system;

    /// <param name="policies">The policy in force.</param>
    /// <param name="system">What policy is told of the system.</param>
    public AdminExtension(PolicyStore policies, SystemInfoSource system)
    {
        _policies = policies;
        _system = system;
    }

    private static bool IsReservedFeature(string name) =>
        name is NetworkFeatures.Deferred or PreloadFeatures.List or PreloadFeatures.Completed or PreloadFeatures.InProgress;

    /// <summary>Attaches the rules to every qube that can call.</summary>
    public void Register(QubesApp app)
    {
        // Also to classes of qubes of other hosts: what arrives in their name is not more trusted.
        EventHandlers events = app.Events;
        events.On(EmitterClass.BaseVM, "admin-permission:admin.vm.feature.Set", RefuseReservedFeature);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.vm.feature.Remove", RefuseReservedFeature);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.vm.tag.Set", RefuseReservedTag);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.vm.tag.Remove", RefuseReservedTag);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.vm.List", FilterQubes);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.Events", FilterEvents);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.vm.device.*.Attach", RefuseDeniedInterfaces);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.state.Get", FilterState);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.state.Follow", FilterState);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.change.Plan", FilterState);
        events.On(EmitterClass.BaseVM, "admin-permission:admin.history.List", FilterState);
        RegisterModelRules(app);
    }

    /// <summary>Attaches what changes the model and nothing else: also for a copy on which changes are tried.</summary>
    internal static void RegisterModelRules(QubesApp app) =>
        app.Events.On(EmitterClass.LocalVM, "domain-tag-add:" + CreatedBy + "*", TagLikeCreator);

    private static void RefuseReservedFeature(QubesEvent permission)
    {
        if (permission.Arguments["arg"] is string name && IsReservedFeature(name))
        {
            throw QubesErrors.PermissionDenied("changing this feature " + Refusal);
        }
    }

    private static void RefuseReservedTag(QubesEvent permission)
    {
        if (permission.Subject is not AdminVM && permission.Arguments["arg"] is string tag
            && tag.StartsWith(CreatedBy, StringComparison.Ordinal))
        {
            throw QubesErrors.PermissionDenied("changing this tag " + Refusal);
        }
    }

    /// <summary>
    /// Whatever mode the request states: what a qube may not be given by hand is not for the one who gives it to say.
    /// </summary>
    private static void RefuseDeniedInterfaces(QubesEvent permission)
    {
        if (permission.Arguments["dest"] is not LocalQube qube || LocalQubeProperties.DevicesDenied.Get(qube) is not { Length: > 0 } codes)
        {
            return;
        }

        if (permission.Arguments["device"] is not DeviceInfo device)
        {
            throw QubesErrors.PermissionDenied("Could not load interfaces to verify against denied list");
        }

        IReadOnlyList<DeviceInterface> denied = DeviceInterface.ParseList(codes);
        foreach (DeviceInterface exposed in device.Interfaces)
        {
            if (denied.Any(pattern => exposed.Matches(pattern)))
            {
                throw QubesErrors.PermissionDenied($"Device exposes a banned interface: {exposed}");
            }
        }
    }

    /// <summary>A new qube gets the tags its creator says its creations have.</summary>
    private static void TagLikeCreator(QubesEvent added)
    {
        Qube created = (Qube)added.Subject;
        string creator = ((string)added.Arguments["tag"]!)[CreatedBy.Length..];
        if (!created.App.Domains.TryGet(creator, out Qube? qube) || qube.Features.Get("tag-created-vm-with") is not { } tags)
        {
            return;
        }

        foreach (string tag in tags.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            created.Tags.Add(TagName.Parse(tag));
        }
    }

    private void FilterQubes(QubesEvent permission)
    {
        if (permission.Subject is AdminVM)
        {
            return;
        }

        // One policy for the whole list; the look at its files is the quick one, as the call itself was just let through by it.
        Qube caller = (Qube)permission.Subject;
        LoadedPolicy policy = _policies.Current();
        AdminFilter filter = item => item is Qube qube && IsAllowed(policy, caller, qube.Name, "admin.vm.List");
        permission.AddResult(filter);
    }

    /// <summary>
    /// A section of a qube at once, for whom every call may be made that tells a part of it; the same for the system.
    /// </summary>
    private void FilterState(QubesEvent permission)
    {
        if (permission.Subject is AdminVM)
        {
            return;
        }

        // Items come in great numbers: the policy's files are looked at once for all that are asked about together.
        Qube caller = (Qube)permission.Subject;
        _ = _policies.Current();
        AdminFilter filter = item => item switch
        {
            Qube qube => AreAllowed(caller, qube.Name, StateCalls.Of(QubeSections.Base)),
            QubeSection section => AreAllowed(caller, section.Qube.Name, StateCalls.Of(section.Section)),
            QubesApp => AreAllowed(caller, "@adminvm", StateCalls.OfSystem),
            _ => false,
        };
        permission.AddResult(filter);
    }

    private bool AreAllowed(Qube caller, string target, IReadOnlyList<string> services)
    {
        LoadedPolicy policy = _policies.Recent();
        foreach (string service in services)
        {
            if (!IsAllowed(policy, caller, target, service))
            {
                return false;
            }
        }

        return true;
    }

    private void FilterEvents(QubesEvent permission)
    {
        if (permission.Subject is AdminVM)
        {
            return;
        }

        Qube caller = (Qube)permission.Subject;

        // Evaluated for each event, for as long as the stream lives: a change of policy acts at once.
        AdminFilter filter = item => item is QubesEvent happened
            && IsAllowed(_policies.Current(), caller, TargetOf(happened), "admin.Events+" + happened.Name.Replace(':', '_'));
        permission.AddResult(filter);
    }

    private static string TargetOf(QubesEvent happened) =>
        happened.Subject is Qube subject ? subject.Name
        : happened.Arguments["vm"] is Qube about ? about.Name
        : "@adminvm";

    /// <summary>Policy would let the call through with nobody asked.</summary>
    private bool IsAllowed(LoadedPolicy policy, Qube caller, string target, string serviceAndArgument) =>
        caller.IsInCollection
        && PolicyEvaluator.IsAllowed(policy, new PolicyCall(caller.Name, target, serviceAndArgument), _system.Current);
}
