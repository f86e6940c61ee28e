using Qubes.Model;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions;

/// <summary>Features <c>vm-config.NAME</c> are published inside the qube: the name must fit a key. Checked before the feature is stored.</summary>
internal static class VMConfigExtension
{
    private const string Prefix = "vm-config.";
    private const int MaxNameLength = 52;

    public static void Register(QubesApp app) => app.Events.On(EmitterClass.LocalVM, "domain-feature-pre-set:vm-config.*", BeforeSet);

    private static void BeforeSet(QubesEvent qubesEvent)
    {
        ReadOnlySpan<char> name = qubesEvent.Detail[Prefix.Length..];
        if (name.Length > MaxNameLength)
        {
            throw QubesErrors.Value("VM config name must not exceed 52 bytes");
        }

        if (name.IsEmpty)
        {
            throw QubesErrors.Value("Empty config name not allowed");
        }

        if (!char.IsAsciiLetter(name[0]))
        {
            throw QubesErrors.Value("Config name must start with an ASCII letter");
        }
    }
}
