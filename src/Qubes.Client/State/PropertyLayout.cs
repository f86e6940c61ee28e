using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Qubes.Client.State;

/// <summary>
/// Reads the properties of qubes that have the same ones. What was read of one qube is used again for the next as far as its text is the
/// same, which it is for most properties: so a thousand qubes take little more memory than their differences.
/// </summary>
internal sealed class PropertyLayout
{
    private readonly PropertyNames _names;
    private readonly Slot[] _slots;

    /// <param name="properties">An object with such properties.</param>
    public PropertyLayout(JsonElement properties)
    {
        _names = new PropertyNames([.. properties.EnumerateObject().Select(member => member.Name)]);
        _slots = [.. _names.All.Select(name => new Slot(Encoding.UTF8.GetBytes(name)))];
    }

    /// <summary>Null if the object has other properties, or in another order.</summary>
    public PropertySet? TryRead(JsonElement properties)
    {
        StateProperty[] values = new StateProperty[_slots.Length];
        int count = 0;
        foreach (JsonProperty member in properties.EnumerateObject())
        {
            if (count == _slots.Length || !member.NameEquals(_slots[count].Name))
            {
                return null;
            }

            values[count] = _slots[count].Read(member.Value);
            count++;
        }

        return count == _slots.Length ? new PropertySet(_names, values) : null;
    }

    /// <summary>One of the properties, and what the last qube had there.</summary>
    private sealed class Slot(byte[] name)
    {
        private byte[] _text = [];
        private int _length;
        private StateProperty? _value;

        public ReadOnlySpan<byte> Name => name;

        public StateProperty Read(JsonElement json)
        {
            ReadOnlySpan<byte> text = JsonMarshal.GetRawUtf8Value(json);
            if (_value is not null && text.SequenceEqual(_text.AsSpan(0, _length)))
            {
                return _value;
            }

            _value = StateProperty.Parse(json);
            if (text.Length > _text.Length)
            {
                _text = new byte[2 * text.Length];
            }

            text.CopyTo(_text);
            _length = text.Length;
            return _value;
        }
    }
}
