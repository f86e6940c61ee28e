using System.Text;
using Qubes.Admin.Calls;
using Qubes.Model.Classes;
using Qubes.Model.Labels;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Handlers;

/// <summary>What a caller wants created, checked as far as can be before permission. Unknown things are remembered, not yet told.</summary>
internal sealed class CreateRequest
{
    private const string KnownOptions = "name, label, pool, pool:";
    private static readonly string[] VolumeNames = ["root", "private", "volatile", "kernel"];

    private readonly Dictionary<string, string> _pools = new(StringComparer.Ordinal);
    private readonly bool _allowPool;
    private string? _untrustedLabel;

    private CreateRequest(bool allowPool) => _allowPool = allowPool;

    public QubeName? Name { get; private set; }

    public Label? Label { get; private set; }

    /// <summary>The name of a qube; not yet known to exist.</summary>
    public string? UntrustedTemplate { get; private set; }

    public string? UntrustedPool { get; private set; }

    /// <summary>Pool by volume; the pools not yet known to exist.</summary>
    public IReadOnlyDictionary<string, string> UntrustedPools => _pools;

    // <payload> = word *( SP word ), exactly one SP between; word = key '=' value
    // keys: name, label; with pools also one pool, or any number of pool:<volume>

    /// <exception cref="QubesException">Named as callers know it; the first mistake counts.</exception>
    public static CreateRequest Parse(AdminCall call, QubeClass qubeClass, bool allowPool)
    {
        CreateRequest request = new(allowPool);
        if (call.UntrustedArgument.Length > 0)
        {
            request.UntrustedTemplate = qubeClass.HasTemplate
                ? call.UntrustedArgument
                : throw QubesErrors.Protocol($"{qubeClass.Name} cannot be based on template");
        }

        if (!Ascii.IsValid(call.UntrustedPayload))
        {
            throw QubesErrors.Protocol("Parameters contains non-ASCII characters");
        }

        foreach (string word in Encoding.ASCII.GetString(call.UntrustedPayload).Split(' '))
        {
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                throw QubesErrors.Protocol("Options must have the form key=value, separated by single spaces");
            }

            request.Take(call, word[..equals], word[(equals + 1)..]);
        }

        if (request.Name is null)
        {
            throw QubesErrors.Protocol("Creation requested without key: name");
        }

        if (request._untrustedLabel is null)
        {
            throw QubesErrors.Protocol("Creation requested without key: label");
        }

        if (request.Label is null)
        {
            throw QubesErrors.LabelNotFound(request._untrustedLabel);
        }

        return request.UntrustedPool is not null && request._pools.Count > 0
            ? throw QubesErrors.Protocol("Conflicting options specified: 'pool=', 'pool:volume='")
            : request;
    }

    private void Take(AdminCall call, string key, string untrustedValue)
    {
        switch (key)
        {
            case "name":
                RequireFirst(Name is null, "Options must be unique");
                Name = QubeName.Parse(untrustedValue);
                break;
            case "label":
                RequireFirst(_untrustedLabel is null, "Options must be unique");
                _untrustedLabel = LabelName.Parse(untrustedValue, forCreation: true);
                Label = call.App.Labels.TryFind(_untrustedLabel, out Label? label) ? label : null;
                break;
            case "template" when UntrustedTemplate is not null:
                throw QubesErrors.Protocol("Options must be unique");
            case "pool":
                RequirePoolAllowed();
                RequireFirst(UntrustedPool is null, "Option 'pool' must be unique");
                UntrustedPool = untrustedValue;
                break;
            case not null when key.StartsWith("pool:", StringComparison.Ordinal):
                RequirePoolAllowed();
                string volume = key["pool:".Length..];
                if (!VolumeNames.Contains(volume, StringComparer.Ordinal))
                {
                    throw QubesErrors.Protocol($"Volume must be one of: {string.Join(", ", VolumeNames)}");
                }

                RequireFirst(_pools.TryAdd(volume, untrustedValue), $"Option 'pool:{volume}' must be unique");
                break;
            default:
                throw QubesErrors.Protocol($"Options does not match: {KnownOptions}");
        }
    }

    private void RequirePoolAllowed()
    {
        if (!_allowPool)
        {
            throw QubesErrors.Protocol("Pool option specified but 'allow_pool' is False");
        }
    }

    private static void RequireFirst(bool isFirst, string otherwise)
    {
        if (!isFirst)
        {
            throw QubesErrors.Protocol(otherwise);
        }
    }
}
