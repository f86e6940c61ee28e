using Qubes.Protocol.Errors;

namespace Qubes.Admin.Planning;

/// <summary>Says where in the document an error belongs. Its class stays what the single call would have given.</summary>
internal static class PlacedError
{
    public static QubesException At(string place, QubesException error) => new(error.WireName, $"{place}: {error.Message}", error);
}
