namespace Qubes.Model.Properties;

/// <summary>
/// One property of a class of holders: what the Admin API and the store can do with it without knowing its type.
/// Definitions are static and shared by all holders; see <see cref="PropertyDefinition{THolder,T}"/>.
/// </summary>
public abstract class PropertyDefinition
{
    private protected PropertyDefinition(string name)
    {
        // Slots are found by reference: names of equal text are one object.
        Name = string.Intern(name);
        PreSetEvent = "property-pre-set:" + name;
        SetEvent = "property-set:" + name;
        PreResetEvent = "property-pre-reset:" + name;
        PreDelEvent = "property-pre-del:" + name;
        ResetEvent = "property-reset:" + name;
        DelEvent = "property-del:" + name;
    }

    public string Name { get; }

    /// <summary>The type word of replies, <see cref="Protocol.Properties.PropertyTypeWord"/>.</summary>
    public abstract string TypeWord { get; }

    public PropertyStage Stage { get; init; } = PropertyStage.Qube;

    /// <summary>Secondary key of the list order.</summary>
    public int Order { get; init; }

    /// <summary>Once explicit it can be neither set nor reset.</summary>
    public bool WriteOnce { get; init; }

    /// <summary>Copied by <see cref="PropertyHolder.CloneProperties"/> unless a list says otherwise.</summary>
    public bool Clone { get; init; } = true;

    /// <summary>Read-only: always the default function's value, never stored.</summary>
    public bool Computed { get; init; }

    /// <summary>What it means, for people; plain text.</summary>
    public required string Help { get; init; }

    /// <summary>Refers to a qube.</summary>
    public abstract bool IsReference { get; }

    public string PreSetEvent { get; }

    public string SetEvent { get; }

    public string PreResetEvent { get; }

    /// <summary>Deprecated twin of <see cref="PreResetEvent"/>.</summary>
    public string PreDelEvent { get; }

    public string ResetEvent { get; }

    /// <summary>Deprecated twin of <see cref="ResetEvent"/>.</summary>
    public string DelEvent { get; }

    /// <summary>The holder stores a value of its own (which may equal the default).</summary>
    public abstract bool IsExplicit(PropertyHolder holder);

    /// <summary>The current value as text.</summary>
    public abstract PropertyReading Read(PropertyHolder holder);

    /// <summary>The default as text, whatever the current value; false if there is none.</summary>
    public abstract bool TryReadDefault(PropertyHolder holder, out string text);

    /// <summary>The current value as an object; false if unset.</summary>
    public abstract bool TryGetObject(PropertyHolder holder, out object? value);

    /// <summary>
    /// The coarse validation of a Set payload that precedes the permission check. The result is what the permission event shows
    /// as <c>newvalue</c> (a reference is still a name, empty for none) and what <see cref="SetInput"/> takes.
    /// </summary>
    public abstract object Sanitise(ReadOnlySpan<byte> untrustedPayload);

    /// <summary>Sets the property with its events: the setter and pre-events may refuse, and then nothing changed.</summary>
    /// <param name="holder">Whose property.</param>
    /// <param name="input">A value of the property's type, or one that <see cref="Sanitise"/> made.</param>
    public abstract void SetInput(PropertyHolder holder, object? input);

    /// <summary>Returns the property to its default with the four events, also if it is default already.</summary>
    public abstract void Reset(PropertyHolder holder);

    /// <summary>Takes the text of the store, without events; an empty element gives the empty text.</summary>
    public abstract void LoadText(PropertyHolder holder, string text);

    /// <summary>The text for the store; only for explicit values.</summary>
    public abstract string StoreText(PropertyHolder holder);

    public override string ToString() => Name;
}
