using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about features and tags.</summary>
internal static class FeatureMethods
{
    public static IEnumerable<AdminMethod> Rows() =>
    [
        AdminRow.Local("admin.vm.feature.List", AdminRow.Reads) with
        {
            Answer = FeatureHandlers.List, Help = "Lists the features of a qube", Result = "a name a line",
        },
        FeatureRead("Get", FeatureHandlers.Get, "Reads a feature of a qube"),
        FeatureRead("CheckWithTemplate", FeatureHandlers.CheckWithTemplate, "Reads a feature of a qube or of its templates"),
        FeatureRead("CheckWithNetvm", FeatureHandlers.CheckWithNetVM, "Reads a feature of a qube or of its network qubes"),
        FeatureRead("CheckWithAdminVM", FeatureHandlers.CheckWithAdminVM, "Reads a feature of a qube or of dom0"),
        FeatureRead("CheckWithTemplateAndAdminVM", FeatureHandlers.CheckWithTemplateAndAdminVM,
            "Reads a feature of a qube, of its templates or of dom0"),
        AdminRow.Local("admin.vm.feature.Set", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Payload = AdminPart.Optional, Handler = FeatureHandlers.SetAsync,
            Help = "Sets a feature of a qube to the payload",
        },
        AdminRow.Local("admin.vm.feature.Remove", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Handler = FeatureHandlers.RemoveAsync, Help = "Removes a feature of a qube",
        },
        AdminRow.Local("admin.vm.tag.List", AdminRow.Reads) with { Answer = TagHandlers.List, Help = "Lists the tags of a qube", Result = "a name a line" },
        AdminRow.Local("admin.vm.tag.Get", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Answer = TagHandlers.Get, Help = "Tells whether a qube has a tag", Result = "`1` or `0`",
        },
        AdminRow.Local("admin.vm.tag.Set", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Handler = TagHandlers.SetAsync, Help = "Adds a tag to a qube",
        },
        AdminRow.Local("admin.vm.tag.Remove", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Handler = TagHandlers.RemoveAsync, Help = "Removes a tag of a qube",
        },
    ];

    private static AdminMethod FeatureRead(string name, AdminAnswer answer, string help) =>
        AdminRow.Local("admin.vm.feature." + name, AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Answer = answer, Help = help, Result = "the value",
        };
}
