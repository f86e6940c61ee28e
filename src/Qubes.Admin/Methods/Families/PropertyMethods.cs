using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about properties, of qubes and global ones.</summary>
internal static class PropertyMethods
{
    private const string PropertyResult = "`default=True` or `False`, `type=TYPE`, value";
    private const string PropertyLines = "a line `NAME CONTENT OF Get` each, `\\` and line feed escaped";

    public static IEnumerable<AdminMethod> Rows() =>
    [
        AdminRow.Global("admin.property.List", AdminRow.Reads) with
        {
            Answer = call => PropertyHandlers.List(call, call.App), Help = "Lists the global properties", Result = "a name a line",
        },
        AdminRow.Global("admin.property.Get", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.Get(call, call.App),
            Help = "Reads a global property", Result = PropertyResult,
        },
        AdminRow.Global("admin.property.GetAll", AdminRow.Reads) with
        {
            Answer = call => PropertyHandlers.GetAll(call, call.App), Help = "Reads all global properties", Result = PropertyLines,
        },
        AdminRow.Global("admin.property.GetDefault", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.GetDefault(call, call.App),
            Help = "Reads the default of a global property", Result = "`type=TYPE`, value; empty if there is none",
        },
        AdminRow.Global("admin.property.Help", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.Help(call, call.App),
            Help = "Explains a global property", Result = "text",
        },
        AdminRow.Global("admin.property.Set", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Payload = AdminPart.Optional, Handler = call => PropertyHandlers.SetAsync(call, call.App),
            Help = "Sets a global property to the payload",
        },
        AdminRow.Global("admin.property.Reset", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Handler = call => PropertyHandlers.ResetAsync(call, call.App),
            Help = "Returns a global property to its default",
        },
        AdminRow.Local("admin.vm.property.List", AdminRow.Reads) with
        {
            Answer = call => PropertyHandlers.List(call, call.Destination), Help = "Lists the properties of a qube",
            Result = "a name a line",
        },
        AdminRow.Local("admin.vm.property.Get", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.Get(call, call.Destination),
            Help = "Reads a property of a qube", Result = PropertyResult,
        },
        AdminRow.Local("admin.vm.property.GetAll", AdminRow.Reads) with
        {
            Answer = call => PropertyHandlers.GetAll(call, call.Destination), Help = "Reads all properties of a qube",
            Result = PropertyLines,
        },
        AdminRow.Local("admin.vm.property.GetDefault", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.GetDefault(call, call.Destination),
            Help = "Reads the default of a property of a qube", Result = "`type=TYPE`, value; empty if there is none",
        },
        AdminRow.Local("admin.vm.property.Help", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.Help(call, call.Destination),
            Help = "Explains a property of a qube", Result = "text",
        },
        AdminRow.Local("admin.vm.property.Set", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Payload = AdminPart.Optional,
            Handler = call => PropertyHandlers.SetAsync(call, call.Destination), Help = "Sets a property of a qube to the payload",
        },
        AdminRow.Local("admin.vm.property.Reset", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Handler = call => PropertyHandlers.ResetAsync(call, call.Destination),
            Help = "Returns a property of a qube to its default",
        },
    ];
}
