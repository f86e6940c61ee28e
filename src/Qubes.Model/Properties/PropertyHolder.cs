using System.Diagnostics.CodeAnalysis;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Properties;

/// <summary>
/// Owner of properties. Only explicit values take room: a qube sets a handful of its fifty properties, so they are kept
/// as a short list searched by reference to the (interned) name.
/// </summary>
public abstract class PropertyHolder : EventSubject
{
    private PropertySlot[] _slots = [];
    private int _slotCount;

    private protected PropertyHolder()
    {
    }

    /// <summary>The properties of this class.</summary>
    public abstract PropertyTable Properties { get; }

    /// <summary>The holder in messages: a qube's name, <c>Qubes</c> for the application.</summary>
    public abstract string HolderText { get; }

    /// <summary>Rises with every change of what the store keeps of this holder.</summary>
    public long StoreVersion { get; private set; }

    /// <summary>The property of this name from outside, or <c>QubesNoSuchPropertyError</c>.</summary>
    public PropertyDefinition Property(string untrustedName) => Properties.TryFind(untrustedName, out PropertyDefinition? property)
        ? property
        : throw QubesErrors.NoSuchProperty(HolderText, untrustedName);

    /// <summary>
    /// Copies explicit values of another holder, past setters, write-once and property events; fires <c>clone-properties</c> once.
    /// </summary>
    /// <param name="source">Where from.</param>
    /// <param name="properties">Which to consider; by default all that are to be cloned. Those this class lacks are left out.</param>
    public void CloneProperties(PropertyHolder source, IReadOnlyList<PropertyDefinition>? properties = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        properties ??= [.. Properties.InListOrder.Where(p => p.Clone)];
        using ChangeScope scope = App.Changes.Enter();
        foreach (PropertyDefinition property in properties)
        {
            if (!source.TryGetSlot(property.Name, out object? value) || !Properties.TryFind(property.Name, out PropertyDefinition? own))
            {
                continue;
            }

            PropertySlot? before = Slot(own.Name);
            string? beforeText = before is null ? null : own.StoreText(this);
            SetSlot(own.Name, value);
            scope.RecordStored(
                () => ReplaceSlot(own.Name, new PropertySlot(own.Name, value), before),
                new ChangeRecord(SubjectText, "property " + own.Name, beforeText, own.StoreText(this)));
        }

        Fire("clone-properties", EventArguments.Of(("src", source), ("proplist", properties)));
        scope.Done();
    }

    internal bool TryGetSlot(string name, [MaybeNullWhen(false)] out object? value)
    {
        App.Changes.NoteRead(this, ModelAspect.Property, name);
        for (int i = 0; i < _slotCount; i++)
        {
            if (ReferenceEquals(_slots[i].Name, name))
            {
                value = _slots[i].Value;
                return true;
            }
        }

        value = null;
        return false;
    }

    /// <summary>The explicit value; null where there is none.</summary>
    internal PropertySlot? Slot(string name) => TryGetSlot(name, out object? value) ? new PropertySlot(name, value) : null;

    /// <summary>
    /// Puts <paramref name="wanted"/> in the place of <paramref name="current"/>, both null for no explicit value. Does nothing if the value is
    /// another by now.
    /// </summary>
    /// <returns>What takes this back; null where nothing was done.</returns>
    internal Redo? ReplaceSlot(string name, PropertySlot? current, PropertySlot? wanted)
    {
        if (Slot(name) != current)
        {
            return null;
        }

        Put(wanted);
        return () =>
        {
            PropertySlot? before = Slot(name);
            Put(current);
            return () => ReplaceSlot(name, current, before);
        };

        void Put(PropertySlot? slot)
        {
            if (slot is { } explicitly)
            {
                SetSlot(name, explicitly.Value);
            }
            else
            {
                RemoveSlot(name);
            }
        }
    }

    internal void SetSlot(string name, object? value)
    {
        TouchStore(ModelAspect.Property, name);
        for (int i = 0; i < _slotCount; i++)
        {
            if (ReferenceEquals(_slots[i].Name, name))
            {
                _slots[i] = new(name, value);
                return;
            }
        }

        if (_slotCount == _slots.Length)
        {
            Array.Resize(ref _slots, Math.Max(4, _slotCount + 4));
        }

        _slots[_slotCount++] = new(name, value);
    }

    /// <summary>Takes the explicit values of a holder of another model; references become those to the qubes of this one.</summary>
    internal void CopySlots(PropertyHolder source)
    {
        for (int i = 0; i < source._slotCount; i++)
        {
            PropertySlot slot = source._slots[i];
            SetSlot(slot.Name, slot.Value is Qube qube ? App.Domains[qube.Name] : slot.Value);
        }
    }

    internal void RemoveSlot(string name)
    {
        TouchStore(ModelAspect.Property, name);
        int at = Array.FindIndex(_slots, 0, _slotCount, slot => ReferenceEquals(slot.Name, name));
        if (at >= 0)
        {
            _slots[at] = _slots[--_slotCount];
            _slots[_slotCount] = default;
        }
    }

    /// <summary>Something the store keeps of this holder changed.</summary>
    internal void TouchStore(ModelAspect aspect, string item = "")
    {
        StoreVersion++;
        App.Changes.Touch(this, aspect, item);
    }
}
