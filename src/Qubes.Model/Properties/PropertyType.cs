namespace Qubes.Model.Properties;

/// <summary>How values of one type are validated, converted and printed. Stateless; one instance per type.</summary>
public abstract class PropertyType<T>
{
    /// <summary>The type word of replies.</summary>
    public abstract string Word { get; }

    public virtual bool IsReference => false;

    /// <summary>The coarse validation of a payload; see <see cref="PropertyDefinition.Sanitise"/>.</summary>
    public abstract object Sanitise(ReadOnlySpan<byte> untrustedPayload);

    /// <summary>Makes a value of what <see cref="Sanitise"/> gave; inputs of type <typeparamref name="T"/> do not come here.</summary>
    public abstract T Convert(PropertyHolder holder, PropertyDefinition property, object? input);

    /// <summary>Makes a value of the store's text.</summary>
    public abstract T Load(PropertyHolder holder, PropertyDefinition property, string text);

    /// <summary>The text of replies and of the store; none is empty.</summary>
    public abstract string Format(T value);
}
