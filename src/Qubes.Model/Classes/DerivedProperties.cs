using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Classes;

/// <summary>Makes the properties of classes that others bring. With a write-once one no default is needed, nor a reset possible.</summary>
public static class DerivedProperties
{
    /// <summary>A text; with <paramref name="values"/> one of these.</summary>
    public static PropertyDefinition Text(string name, string help, string fallback, IReadOnlyList<string> values, bool writeOnce, bool clone) =>
        new PropertyDefinition<QubesVM, string?>(name, TextType.Instance)
        {
            Default = PropertyDefault.Constant<string?>(fallback),
            Setter = (_, value) => values.Count == 0 || values.Contains(value ?? "")
                ? value
                : throw QubesErrors.PropertyValue($"{name} must be one of: {string.Join(", ", values)}"),
            WriteOnce = writeOnce,
            Clone = clone,
            Help = help,
        };

    /// <summary>A number within limits.</summary>
    public static PropertyDefinition Number(string name, string help, int fallback, int least, int most, bool writeOnce, bool clone) =>
        new PropertyDefinition<QubesVM, int>(name, IntType.Instance)
        {
            Default = PropertyDefault.Constant(fallback),
            Setter = (_, value) => value >= least && value <= most
                ? value
                : throw QubesErrors.PropertyValue($"{name} must be between {least} and {most}"),
            WriteOnce = writeOnce,
            Clone = clone,
            Help = help,
        };

    /// <summary>Yes or no.</summary>
    public static PropertyDefinition Flag(string name, string help, bool fallback, bool writeOnce, bool clone) =>
        new PropertyDefinition<QubesVM, bool>(name, BoolType.Instance)
        {
            Default = PropertyDefault.Constant(fallback), WriteOnce = writeOnce, Clone = clone, Help = help,
        };

    /// <summary>Another qube, or none, which is the default.</summary>
    public static PropertyDefinition Reference(string name, string help, bool writeOnce, bool clone) =>
        new PropertyDefinition<QubesVM, Qube?>(name, new ReferenceType<Qube>("BaseVM", allowNone: true))
        {
            Stage = PropertyStage.References,
            Default = PropertyDefault.Constant<Qube?>(null),
            WriteOnce = writeOnce,
            Clone = clone,
            Help = help,
        };
}
