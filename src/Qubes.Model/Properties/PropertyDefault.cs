namespace Qubes.Model.Properties;

/// <summary>Default functions of the common kinds.</summary>
internal static class PropertyDefault
{
    /// <summary>Always this value.</summary>
    public static DefaultFunction<PropertyHolder, T> Constant<T>(T value) => (PropertyHolder _, out T result) =>
    {
        result = value;
        return true;
    };

    /// <summary>Computed from the holder; never without a value.</summary>
    public static DefaultFunction<THolder, T> Of<THolder, T>(Func<THolder, T> compute) => (THolder holder, out T result) =>
    {
        result = compute(holder);
        return true;
    };
}
