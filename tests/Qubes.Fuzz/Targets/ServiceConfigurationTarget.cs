using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Services;

namespace Qubes.Fuzz.Targets;

/// <summary>Configurations of qrexec services: a file parses, or the call fails with 125.</summary>
internal sealed class ServiceConfigurationTarget : IFuzzTarget
{
    public string Name => "qrexec-service-config";

    public IEnumerable<byte[]> Seeds =>
    [
        "wait-for-session=1\n"u8.ToArray(),
        "# comment\r\nforce-user = 'root' # why\n"u8.ToArray(),
        "skip-service-descriptor=true\nexit-on-client-eof=false\nexit-on-service-eof=true\nunknown.key=17\n"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            ServiceConfiguration configuration = ServiceConfigurationParser.Parse(input);
            if (configuration.ForceUser is not null && configuration.HasSocketSettings)
            {
                throw new InvalidOperationException("a forced user together with settings of sockets");
            }
        }
        catch (ServiceException e) when (e.ExitCode == QrexecExitCode.Problem)
        {
            // The documented error.
        }
    }
}
