using CsCheck;

namespace Qubes.Policy.Tests;

internal static class Pick
{
    /// <summary>One of the values.</summary>
    public static Gen<T> Of<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);
}
