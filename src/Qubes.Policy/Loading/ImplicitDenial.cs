using Qubes.Policy.Rules;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Loading;

/// <summary>The rules that follow a 4.0 file about one argument, without standing in it.</summary>
internal static class ImplicitDenial
{
    private static readonly PolicyToken s_anyVm = new(TokenKind.AnyVm, "@anyvm", "");
    private static readonly PolicyToken s_adminVm = new(TokenKind.AdminVm, "@adminvm", "");

    public static PolicyRule Of(string service, string argument, PolicyPlace place, bool toAdminVm) =>
        new(place, service, argument, s_anyVm, toAdminVm ? s_adminVm : s_anyVm, RuleAction.Deny());
}
