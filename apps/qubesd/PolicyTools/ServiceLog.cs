using System.Globalization;
using System.Text;
using Qubes.Linux;

namespace Qubesd.PolicyTools;

/// <summary>The log of a service that is a program of its own: a line a call.</summary>
internal sealed class ServiceLog(string path)
{
    public string Path => path;

    public void Write(string untrustedText)
    {
        try
        {
            string line = string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.Now:yyyy-MM-dd HH:mm:ss} {LogText.Escape(untrustedText)}\n");
            File.AppendAllText(path, line, new UTF8Encoding(false));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // What was asked counts more than its record, and qrexec logs the call as well.
        }
    }
}
