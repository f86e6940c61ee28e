using Qubes.Model;

namespace Qubes.Extensions;

/// <summary>The extensions that are part of the daemon. They attach their handlers before the store is loaded.</summary>
public static class BuiltInExtensions
{
    public static void Register(QubesApp app)
    {
        ArgumentNullException.ThrowIfNull(app);
        BackupRestoreExtension.Register(app);
        CoreFeaturesExtension.Register(app);
        CustomPersistExtension.Register(app);
        GuiExtension.Register(app);
        AudioExtension.Register(app);
        ServicesExtension.Register(app);
        VMConfigExtension.Register(app);
    }
}
