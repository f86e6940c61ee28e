namespace Qubes.Linux;

/// <summary>What a program that ran to its end has written.</summary>
/// <param name="Output">Standard output, up to the limit.</param>
/// <param name="Error">Standard error, up to the limit.</param>
/// <param name="IsTruncated">True when either was longer; the rest was read and dropped.</param>
public sealed record CapturedProcess(ProcessExit Exit, byte[] Output, byte[] Error, bool IsTruncated)
{
    /// <summary>Standard error as one log-safe line.</summary>
    public string ErrorText => LogText.Escape(System.Text.Encoding.UTF8.GetString(Error).AsSpan().Trim());

    public string OutputText => System.Text.Encoding.UTF8.GetString(Output);
}
