using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about labels.</summary>
internal static class LabelMethods
{
    public static IEnumerable<AdminMethod> Rows() =>
    [
        AdminRow.Global("admin.label.List", AdminRow.Reads) with { Answer = LabelHandlers.List, Help = "Lists the labels", Result = "a name a line" },
        AdminRow.Global("admin.label.Get", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Answer = LabelHandlers.Get, Help = "Reads the colour of a label", Result = "`0xRRGGBB`",
        },
        AdminRow.Global("admin.label.Index", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Answer = LabelHandlers.Index, Help = "Reads the index of a label", Result = "a number",
        },
        AdminRow.Global("admin.label.Create", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Payload = AdminPart.Required, Handler = LabelHandlers.CreateAsync,
            Help = "Creates a label of the colour in the payload",
        },
        AdminRow.Global("admin.label.Remove", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Handler = LabelHandlers.RemoveAsync, Help = "Removes a label that no qube has",
        },
    ];
}
