using System.Diagnostics.CodeAnalysis;
using Qubes.Model.Changes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Properties;

/// <summary>
/// A property of holders of class <typeparamref name="THolder"/>. The explicit value lives in the holder's slots; without
/// one, the default applies.
/// </summary>
/// <param name="name">The public name.</param>
/// <param name="type">How its values are validated and printed.</param>
public class PropertyDefinition<THolder, T>(string name, PropertyType<T> type) : PropertyDefinition(name)
    where THolder : PropertyHolder
{
    /// <summary>The default; null: the property is unset until set.</summary>
    public DefaultFunction<THolder, T>? Default { get; init; }

    /// <summary>Validates and converts a new value, or refuses it. Runs before any event, also while loading.</summary>
    public Func<THolder, T, T>? Setter { get; init; }

    /// <summary>Refuses a reset. Runs before any event.</summary>
    public Action<THolder>? ResetGuard { get; init; }

    public override string TypeWord => type.Word;

    public override bool IsReference => type.IsReference;

    /// <summary>The current value, explicit or default; false if unset.</summary>
    public bool TryGet(THolder holder, [MaybeNullWhen(false)] out T value)
    {
        ArgumentNullException.ThrowIfNull(holder);
        if (!Computed && holder.TryGetSlot(Name, out object? slot))
        {
            value = (T)slot!;
            return true;
        }

        return TryGetDefault(holder, out value);
    }

    public bool TryGetDefault(THolder holder, [MaybeNullWhen(false)] out T value)
    {
        if (Default is not null)
        {
            return Default(holder, out value);
        }

        value = default;
        return false;
    }

    /// <summary>The current value; <c>default(T)</c> (null, zero, false) if unset.</summary>
    public T? Get(THolder holder) => TryGet(holder, out T? value) ? value : default;

    public override bool IsExplicit(PropertyHolder holder)
    {
        ArgumentNullException.ThrowIfNull(holder);
        return !Computed && holder.TryGetSlot(Name, out _);
    }

    public override PropertyReading Read(PropertyHolder holder) => TryGet((THolder)holder, out T? value)
        ? new(HasValue: true, !IsExplicit(holder), TypeWord, type.Format(value))
        : new(HasValue: false, IsDefault: true, TypeWord, "");

    public override bool TryReadDefault(PropertyHolder holder, out string text)
    {
        bool has = TryGetDefault((THolder)holder, out T? value);
        text = has ? type.Format(value!) : "";
        return has;
    }

    public override bool TryGetObject(PropertyHolder holder, out object? value)
    {
        bool has = TryGet((THolder)holder, out T? typed);
        value = typed;
        return has;
    }

    public override object Sanitise(ReadOnlySpan<byte> untrustedPayload) => type.Sanitise(untrustedPayload);

    public void Set(THolder holder, T value) => SetInput(holder, value);

    public override void SetInput(PropertyHolder holder, object? input)
    {
        THolder typed = (THolder)holder;
        RefuseIfFixed(typed);
        object? oldValue = null;
        bool hasOld = holder.EventsEnabled && TryGetObject(holder, out oldValue);
        T value = input is T ready ? ready : type.Convert(holder, this, input);
        if (Setter is not null)
        {
            value = Setter(typed, value);
        }

        using ChangeScope scope = holder.App.Changes.Enter();
        EventArguments arguments = hasOld
            ? EventArguments.Of(("name", Name), ("newvalue", value), ("oldvalue", oldValue))
            : EventArguments.Of(("name", Name), ("newvalue", value));
        holder.FirePre(PreSetEvent, arguments);
        Store(holder, value, scope);
        holder.Fire(SetEvent, arguments);
        scope.Done();
    }

    public override void Reset(PropertyHolder holder)
    {
        THolder typed = (THolder)holder;
        if (WriteOnce && IsExplicit(holder))
        {
            throw QubesErrors.PropertyWriteOnce(Name);
        }

        ResetGuard?.Invoke(typed);
        EventArguments arguments = TryGetObject(holder, out object? oldValue)
            ? EventArguments.Of(("name", Name), ("oldvalue", oldValue))
            : EventArguments.Of("name", Name);
        using ChangeScope scope = holder.App.Changes.Enter();
        holder.FirePre(PreResetEvent, arguments);
        holder.FirePre(PreDelEvent, arguments);
        if (holder.Slot(Name) is { } before)
        {
            holder.RemoveSlot(Name);
            scope.RecordStored(
                () => holder.ReplaceSlot(Name, current: null, before),
                new ChangeRecord(holder.SubjectText, "property " + Name, type.Format((T)before.Value!), After: null));
        }

        holder.Fire(ResetEvent, arguments);
        holder.Fire(DelEvent, arguments);
        scope.Done();
    }

    public override void LoadText(PropertyHolder holder, string text)
    {
        THolder typed = (THolder)holder;
        RefuseIfFixed(typed);
        T value = type.Load(holder, this, text);
        holder.SetSlot(Name, Setter is null ? value : Setter(typed, value));
    }

    public override string StoreText(PropertyHolder holder)
    {
        ArgumentNullException.ThrowIfNull(holder);
        return holder.TryGetSlot(Name, out object? slot)
            ? type.Format((T)slot!)
            : throw new InvalidOperationException($"property '{Name}' of {holder.HolderText} is not explicit");
    }

    private void Store(PropertyHolder holder, T value, ChangeScope scope)
    {
        PropertySlot? before = holder.Slot(Name);
        holder.SetSlot(Name, value);
        scope.RecordStored(
            () => holder.ReplaceSlot(Name, new PropertySlot(Name, value), before),
            new ChangeRecord(
                holder.SubjectText, "property " + Name, before is { } slot ? type.Format((T)slot.Value!) : null, type.Format(value)));
    }

    private void RefuseIfFixed(THolder holder)
    {
        if (Computed)
        {
            throw QubesErrors.PropertyCannotBeSet(Name, holder.EmitterClass.Name);
        }

        if (WriteOnce && IsExplicit(holder))
        {
            throw QubesErrors.PropertyWriteOnce(Name);
        }
    }
}
