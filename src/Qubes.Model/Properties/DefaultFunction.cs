namespace Qubes.Model.Properties;

/// <summary>Computes a property's default, on every read; false: it has no value now, and <paramref name="value"/> means nothing.</summary>
public delegate bool DefaultFunction<in THolder, T>(THolder holder, out T value);
