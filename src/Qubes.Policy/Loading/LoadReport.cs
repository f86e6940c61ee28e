using System.Collections.Immutable;
using System.Globalization;
using Qubes.Policy.Rules;
using Qubes.Policy.Syntax;
using Qubes.Policy.Text;

namespace Qubes.Policy.Loading;

/// <summary>Collects what loading finds out besides the rules. An error seen twice, through two includes, counts once.</summary>
internal sealed class LoadReport(IPolicySource source, PolicyLimits limits)
{
    private readonly List<PolicyDiagnostic> _errors = [];
    private readonly HashSet<PolicyDiagnostic> _seen = [];
    private readonly List<string> _warnings = [];
    private readonly OrderedDictionary<string, PolicyDependency> _dependencies = new(StringComparer.Ordinal);
    private bool _unreadable;

    public void Error(PolicyPlace place, string message)
    {
        PolicyDiagnostic diagnostic = new(place, message);
        if (!_seen.Add(diagnostic))
        {
            return;
        }

        if (_errors.Count >= limits.Diagnostics)
        {
            throw new PolicyTooLargeException(
                place, string.Create(CultureInfo.InvariantCulture, $"more than {limits.Diagnostics} errors; the rest is not looked at"));
        }

        _errors.Add(diagnostic);
    }

    /// <summary>The error loading ends with; it comes on top of the bound.</summary>
    public void Stop(PolicyTooLargeException tooLarge) => _errors.Add(new PolicyDiagnostic(tooLarge.Place, tooLarge.Message));

    public void Unreadable(string path, Exception error)
    {
        _unreadable = true;
        Error(new PolicyPlace(path, null), $"failed to load {PythonText.Escape(path)} file: {PythonText.Escape(error.Message)}");
    }

    public void Warn(string warning)
    {
        if (_warnings.Count < limits.Diagnostics && !_warnings.Contains(warning))
        {
            _warnings.Add(warning);
        }
    }

    /// <summary>To be called before the path is looked at, so that a change while loading is seen as a change since.</summary>
    public void Depend(string path)
    {
        if (!_dependencies.ContainsKey(path))
        {
            _dependencies.Add(path, new PolicyDependency(path, source.Stamp(path)));
        }
    }

    public LoadedPolicy Finish(ImmutableArray<PolicyRule>.Builder rules, IReadOnlyList<string> files) =>
        new(
            _errors.Count == 0 ? new RuleSet(rules.ToImmutable()) : RuleSet.Empty,
            [.. _errors],
            [.. _warnings],
            [.. files],
            [.. _dependencies.Values],
            _unreadable);
}
