using Qubes.Model;

namespace Qubes.Extensions;

/// <summary>The extensions that are part of the daemon. They attach their handlers before the store is loaded.</summary>
public static class BuiltInExtensions
{
    public static void Register(QubesApp app, BuiltInExtensionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(app);
        options ??= new BuiltInExtensionOptions();
        DurableEvents durable = new(app);
        BackupRestoreExtension.Register(app);
        CoreFeaturesExtension.Register(app, options.Log);
        CustomPersistExtension.Register(app, durable);
        GuiExtension.Register(app, durable, options.Log);
        AudioExtension.Register(app, durable, options.Log);
        R3CompatibilityExtension.Register(app);
        RelayExtension.Register(app, durable);
        ServicesExtension.Register(app, durable, options);
        SupportedFeaturesExtension.Register(app, options.Log);
        VMConfigExtension.Register(app, durable);
        WindowsExtension.Register(app, options);
    }
}
