using Qubes.Linux;
using Qubes.Qrexec.Client;

namespace Qrexec;

/// <summary>
/// The services <c>qubes.FeaturesRequest</c>, <c>qubes.NotifyTools</c> and <c>qubes.NotifyUpdates</c>, started by qrexec, which tells
/// the caller in <c>QREXEC_REMOTE_DOMAIN</c>. The caller gets nothing but the exit status.
/// </summary>
internal static class MiscServiceProgram
{
    public const string FeaturesRequest = "qubes.FeaturesRequest";
    public const string NotifyTools = "qubes.NotifyTools";
    public const string NotifyUpdates = "qubes.NotifyUpdates";

    /// <param name="service">Which of them.</param>
    /// <param name="withInput">What comes on standard input goes with the call.</param>
    public static async Task<int> RunAsync(string service, bool withInput)
    {
        if (Environment.GetEnvironmentVariable("QREXEC_REMOTE_DOMAIN") is not { Length: > 0 } source)
        {
            await Console.Error.WriteLineAsync("This is a service of qrexec: it needs QREXEC_REMOTE_DOMAIN");
            return 2;
        }

        List<string> arguments = ["--fail", "--connect=" + new QubesPaths().MiscSocket];
        if (!withInput)
        {
            arguments.Add("--empty");
        }

        return await QubesdQueryProgram.RunAsync([.. arguments, source, service, "dom0"], Console.OpenStandardInput(), Stream.Null, Console.Error);
    }
}
