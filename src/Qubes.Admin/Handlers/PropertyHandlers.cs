using System.Buffers;
using Qubes.Admin.Calls;
using Qubes.Model.Changes;
using Qubes.Model.Properties;
using Qubes.Protocol.Properties;

namespace Qubes.Admin.Handlers;

/// <summary><c>admin.property.*</c> on the system and <c>admin.vm.property.*</c> on a qube: the same calls on two kinds of holder.</summary>
internal static class PropertyHandlers
{
    public static void List(AdminCall call, PropertyHolder holder)
    {
        AdminFilters filters = call.Permit();
        foreach (PropertyDefinition property in holder.Properties.InListOrder)
        {
            if (filters.Allows(property))
            {
                call.WriteLine(property.Name);
            }
        }
    }

    // default=(True|False) SP type=WORD SP VALUE
    public static void Get(AdminCall call, PropertyHolder holder)
    {
        PropertyDefinition property = holder.Property(call.UntrustedArgument);
        call.Permit();
        PropertyReading reading = property.Read(holder);
        call.Reply.Write(reading.IsDefault || !reading.HasValue ? "default=True type="u8 : "default=False type="u8);
        call.Write(reading.TypeWord);
        call.Reply.Write(" "u8);
        call.Write(reading.HasValue ? reading.Text : "");
    }

    public static void GetAll(AdminCall call, PropertyHolder holder)
    {
        AdminFilters filters = call.Permit();
        foreach (PropertyDefinition property in holder.Properties.InListOrder)
        {
            if (filters.Allows(property))
            {
                call.Write(property.Read(holder).Content.FormatLine(property.Name));
            }
        }
    }

    public static void GetDefault(AdminCall call, PropertyHolder holder)
    {
        PropertyDefinition property = holder.Property(call.UntrustedArgument);
        call.Permit();
        if (property.TryReadDefault(holder, out string text))
        {
            call.Write(PropertyContent.FormatDefault(property.TypeWord, text));
        }
    }

    public static void Help(AdminCall call, PropertyHolder holder)
    {
        PropertyDefinition property = holder.Property(call.UntrustedArgument);
        call.Permit();
        call.Write(property.Help);
    }

    public static async ValueTask SetAsync(AdminCall call, PropertyHolder holder)
    {
        PropertyDefinition property = holder.Property(call.UntrustedArgument);
        object input = property.Sanitise(call.UntrustedPayload);
        call.Permit(("newvalue", input));
        using ModelChange change = call.BeginChange();
        property.SetInput(holder, input);
        await call.CommitAsync(change);
    }

    public static async ValueTask ResetAsync(AdminCall call, PropertyHolder holder)
    {
        PropertyDefinition property = holder.Property(call.UntrustedArgument);
        call.Permit();
        using ModelChange change = call.BeginChange();
        property.Reset(holder);
        await call.CommitAsync(change);
    }
}
