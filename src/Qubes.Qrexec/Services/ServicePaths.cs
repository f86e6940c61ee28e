using Qubes.Linux;

namespace Qubes.Qrexec.Services;

/// <summary>
/// Where services and their configurations are looked for, in order. <c>QREXEC_SERVICE_PATH</c> and
/// <c>QUBES_RPC_CONFIG_PATH</c> (directories separated by <c>:</c>) replace the defaults.
/// </summary>
public sealed class ServicePaths(IReadOnlyList<string> services, IReadOnlyList<string> configurations)
{
    public const string ServicesVariable = "QREXEC_SERVICE_PATH";
    public const string ConfigurationsVariable = "QUBES_RPC_CONFIG_PATH";

    /// <summary>Directories of services.</summary>
    public IReadOnlyList<string> Services { get; } = services;

    /// <summary>Directories of service configurations.</summary>
    public IReadOnlyList<string> Configurations { get; } = configurations;

    /// <summary>The directories of <paramref name="paths"/>, unless the environment names others.</summary>
    public static ServicePaths FromEnvironment(QubesPaths paths) => new(
        FromVariable(ServicesVariable) ?? paths.ServiceDirectories,
        FromVariable(ConfigurationsVariable) ?? paths.ServiceConfigurationDirectories);

    private static string[]? FromVariable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? value.Split(':', StringSplitOptions.RemoveEmptyEntries)
            : null;
}
