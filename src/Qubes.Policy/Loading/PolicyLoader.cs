using System.Collections.Immutable;
using System.Globalization;
using Qubes.Policy.Rules;
using Qubes.Policy.Syntax;
using Qubes.Policy.Text;

namespace Qubes.Policy.Loading;

/// <summary>
/// Makes one policy of all files: finds them, follows includes, binds rules. Goes on after an error so that all are reported at
/// once; with any error there are no rules, since a rule that could not be read may be the one that denies.
/// </summary>
public sealed class PolicyLoader
{
    private readonly IPolicySource _source;
    private readonly PolicyLimits _limits;
    private readonly PolicyFileReader _reader;
    private readonly LoadReport _report;
    private readonly ImmutableArray<PolicyRule>.Builder _rules = ImmutableArray.CreateBuilder<PolicyRule>();
    private readonly HashSet<(string, PolicyFormat)> _open = [];
    private int _includes;

    private PolicyLoader(IPolicySource source, PolicyLimits limits)
    {
        _source = source;
        _limits = limits;
        _report = new LoadReport(source, limits);
        _reader = new PolicyFileReader(source, limits, _report);
    }

    /// <summary>Loads everything <paramref name="source"/> has.</summary>
    public static LoadedPolicy Load(IPolicySource source, PolicyLimits? limits = null)
    {
        PolicyLoader loader = new(source, limits ?? PolicyLimits.Default);
        try
        {
            loader.LoadDirectories();
        }
        catch (PolicyTooLargeException tooLarge)
        {
            loader._report.Stop(tooLarge);
        }

        return loader._report.Finish(loader._rules, loader._reader.Files);
    }

    private void LoadDirectories()
    {
        SortedDictionary<string, string> directoryOfName = new(StringComparer.Ordinal);
        foreach (PolicyDirectory directory in _source.Directories)
        {
            foreach (string name in PolicyFilesOf(directory.Path, directory.Required))
            {
                directoryOfName.TryAdd(name, directory.Path);
            }
        }

        foreach ((string name, string directory) in directoryOfName)
        {
            string path = Path.Join(directory, name);
            Run(new Inclusion(path, PolicyFormat.Full, "", "", directory, 0), place: null);
        }
    }

    /// <summary>The names of the policy files in a directory, in order. A name that is not allowed is an error.</summary>
    private List<string> PolicyFilesOf(string directory, bool required)
    {
        List<string> names = [];
        foreach (PolicyEntry entry in List(directory, required).Where(PolicyFileNames.IsPolicyFile))
        {
            if (PolicyFileNames.IsValid(entry.Name))
            {
                names.Add(entry.Name);
            }
            else
            {
                PolicyPlace place = new(Path.Join(directory, entry.Name), null);
                _report.Error(place, $"invalid filename: {place}");
            }
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    private IReadOnlyList<PolicyEntry> List(string directory, bool required)
    {
        _report.Depend(directory);
        try
        {
            if (!required && !_source.IsDirectory(directory))
            {
                return [];
            }

            IReadOnlyList<PolicyEntry> entries = _source.List(directory);
            foreach (PolicyEntry entry in entries.Where(e => !e.IsFile))
            {
                // A link that leads nowhere today may lead to a file tomorrow, with the directory itself unchanged. What is read
                // counts when it is read, and names do not change without the directory.
                _report.Depend(Path.Join(directory, entry.Name));
            }

            return entries;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _report.Unreadable(directory, e);
            return [];
        }
    }

    /// <summary>Adds the rules of one file and all it includes. <paramref name="place"/> is the including line.</summary>
    private void Run(Inclusion file, PolicyPlace? place)
    {
        PolicyPlace blame = place ?? new PolicyPlace(file.Path, null);
        if (++_includes > _limits.Includes)
        {
            throw new PolicyTooLargeException(
                blame, string.Create(CultureInfo.InvariantCulture, $"more than {_limits.Includes} files are included"));
        }

        if (file.Depth > _limits.IncludeDepth)
        {
            _report.Error(blame, string.Create(CultureInfo.InvariantCulture, $"includes nested more than {_limits.IncludeDepth} deep"));
            return;
        }

        (string, PolicyFormat) identity = (_source.Resolve(file.Path), file.Format);
        if (!_open.Add(identity))
        {
            _report.Error(blame, $"file includes itself: {PythonText.Escape(file.Path)}");
            return;
        }

        foreach (Statement statement in _reader.Read(file.Path, file.Format).Statements)
        {
            PolicyPlace here = new(file.Path, statement.Line);
            try
            {
                Apply(statement, file, here);
            }
            catch (PolicySyntaxException error)
            {
                _report.Error(here, error.Message);
            }
        }

        _open.Remove(identity);
    }

    private void Apply(Statement statement, Inclusion file, PolicyPlace here)
    {
        switch (statement)
        {
            case RuleStatement rule:
                Add(RuleBinder.Bind(rule, file.Path, file.Service, file.Argument));
                break;
            case IncludeStatement include:
                Run(file.Including(FileNamed(include.Path.Text, file)), here);
                break;
            case IncludeServiceStatement include:
                RuleBinder.BindService(include.Service.Text, include.Argument.Text);
                Run(
                    file.Including(FileNamed(include.Path.Text, file)) with
                    {
                        Format = PolicyFormat.OneService,
                        Service = include.Service.Text,
                        Argument = include.Argument.Text,
                    },
                    here);
                break;
            case IncludeDirectoryStatement include:
                IncludeDirectory(include, file, here);
                break;
            case CompatStatement:
                _report.Warn($"{here}: the !compat-4.0 directive is transitional and will go away");
                IncludeLegacy(file, here);
                break;
            default:
                throw new InvalidOperationException($"{statement.GetType()} is no statement of the language");
        }
    }

    private void Add(PolicyRule rule)
    {
        if (_rules.Count >= _limits.Rules)
        {
            throw new PolicyTooLargeException(
                rule.Place, string.Create(CultureInfo.InvariantCulture, $"more than {_limits.Rules} rules"));
        }

        _rules.Add(rule);
    }

    private string FileNamed(string path, Inclusion file)
    {
        string resolved = Resolve(path, file);
        return _source.IsFile(resolved)
            ? resolved
            : throw new PolicySyntaxException($"not a file: {PythonText.Escape(resolved)}");
    }

    private string Resolve(string path, Inclusion file)
    {
        try
        {
            // Both the way and where it leads: a link on the way may come to lead elsewhere.
            string located = _source.Locate(file.BaseDirectory, path);
            _report.Depend(located);
            string resolved = _source.Resolve(located);
            _report.Depend(resolved);
            return resolved;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new PolicySyntaxException($"cannot follow {PythonText.Quote(path)}: {PythonText.Escape(e.Message)}");
        }
    }

    private void IncludeDirectory(IncludeDirectoryStatement include, Inclusion file, PolicyPlace here)
    {
        string directory = Resolve(include.Path.Text, file);
        if (!_source.IsDirectory(directory))
        {
            throw new PolicySyntaxException($"not a directory: {PythonText.Escape(directory)}");
        }

        foreach (string name in PolicyFilesOf(directory, required: true))
        {
            Run(file.Including(Path.Join(directory, name)), here);
        }
    }

    /// <summary>
    /// The 4.0 directory: one file for each service, or service and argument. A file with an argument used to be the last word on
    /// calls with it, so two denials follow it; one without leaves the other calls to the rules that come after.
    /// </summary>
    private void IncludeLegacy(Inclusion file, PolicyPlace here)
    {
        List<(string Service, string? Argument, string Path)> found = [];
        foreach (PolicyEntry entry in List(_source.LegacyDirectory, required: true))
        {
            string path = Path.Join(_source.LegacyDirectory, entry.Name);
            if (PolicyFileNames.ReasonToIgnoreLegacy(entry) is { } reason)
            {
                _report.Warn($"ignoring {PythonText.Escape(path)} ({reason})");
                continue;
            }

            int plus = entry.Name.IndexOf('+', StringComparison.Ordinal);
            found.Add(plus < 0 ? (entry.Name, null, path) : (entry.Name[..plus], entry.Name[plus..], path));
        }

        IEnumerable<(string Service, string? Argument, string Path)> ordered = found
            .OrderBy(f => f.Service, StringComparer.Ordinal)
            .ThenBy(f => f.Argument is null)
            .ThenBy(f => f.Argument, StringComparer.Ordinal);
        foreach ((string service, string? argument, string path) in ordered)
        {
            Run(
                new Inclusion(
                    path, PolicyFormat.OneService, service, argument ?? "*", _source.LegacyDirectory, file.Depth + 1),
                here);
            if (argument is not null)
            {
                PolicyPlace place = new(path, null);
                Add(ImplicitDenial.Of(service, argument, place, toAdminVm: false));
                Add(ImplicitDenial.Of(service, argument, place, toAdminVm: true));
            }
        }
    }
}
