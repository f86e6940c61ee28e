using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Volumes;
using Qubes.Protocol.Names;

namespace Qubes.Model.Tests.Changes;

/// <summary>A part of the model that two changes give other values.</summary>
internal sealed class OnePart
{
    private readonly TestSystem _system = new();
    private readonly AppVM _work;
    private readonly string?[] _values;
    private readonly Action<string?> _set;
    private readonly Func<string?> _get;

    /// <param name="part">Which one.</param>
    public OnePart(string part)
    {
        _work = _system.AppVM("work");
        TagName tag = TagName.Parse("t");
        (string?[], Action<string?>, Func<string?>) chosen = part switch
        {
            "property" => ([null, "501", "502"], SetMemory, GetMemory),
            "reset" => (["500", null, "502"], SetMemory, GetMemory),
            "feature" => ([null, "a", "b"], SetFeature, () => _work.Features.Get("f")),
            "removed feature" => (["a", null, "b"], SetFeature, () => _work.Features.Get("f")),
            "option" => (["1", "2", "3"], SetOption, () => _system.App.Pools.All[0]["o"]),
            "field" => (["1", "2", "3"], SetSize, () => $"{_work.Volumes.All.Single(volume => volume.Name == "private").Size}"),
            "assignment" => (["required", "auto-attach", "ask-to-attach"], SetMode, () => _work.Devices.All.SingleOrDefault()?.Mode),
            "tag" => (["t", null, "t"], SetTag, () => _work.Tags.All.SingleOrDefault()),
            _ => throw new ArgumentOutOfRangeException(nameof(part)),
        };
        (_values, _set, _get) = chosen;
        if (_values[0] is { } initial)
        {
            _set(initial);
        }

        void SetMemory(string? value)
        {
            if (value is null)
            {
                TestSystem.Reset(_work, "memory");
            }
            else
            {
                TestSystem.Set(_work, "memory", value);
            }
        }

        string? GetMemory() => MemoryProperties.Memory is var memory && memory.IsExplicit(_work) ? memory.StoreText(_work) : null;

        void SetFeature(string? value)
        {
            if (value is null)
            {
                _work.Features.Remove("f");
            }
            else
            {
                _work.Features.Set("f", value);
            }
        }

        void SetOption(string? value) => _system.App.Pools.Set(new PoolConfig { Name = "p", Driver = "d", Options = [new("o", value!)] });

        void SetSize(string? value) => _work.Volumes.Set(new VolumeConfig { Name = "private", Size = long.Parse(value!, null) });

        void SetMode(string? value)
        {
            DeviceAssignment wanted = new() { DeviceClass = "block", Backend = "dom0", Port = "sda", DeviceId = "*", Mode = value! };
            if (_work.Devices.All.SingleOrDefault() is { } old)
            {
                _work.Devices.Replace(old, wanted);
            }
            else
            {
                _work.Devices.Add(wanted);
            }
        }

        void SetTag(string? value)
        {
            if (value is null)
            {
                _work.Tags.Remove(tag);
            }
            else
            {
                _work.Tags.Add(tag);
            }
        }
    }

    public string? Current => _get();

    /// <summary>0 for what was there before.</summary>
    public string? Value(int change) => _values[change];

    public ModelChange Begin(int number)
    {
        OverlappingChange change = new(_system.App);
        change.Do(() => _set(_values[number]));
        return change.Change;
    }
}
