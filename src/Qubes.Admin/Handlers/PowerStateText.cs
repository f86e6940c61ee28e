using Qubes.Model.Classes;

namespace Qubes.Admin.Handlers;

/// <summary>The names of the power states, without the search that printing an enumeration's value costs.</summary>
internal static class PowerStateText
{
    private static readonly string[] Names = Enum.GetNames<PowerState>();

    public static string Of(PowerState state) => Names[(int)state];
}
